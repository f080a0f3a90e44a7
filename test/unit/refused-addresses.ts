/** Addresses that no field takes in which people or models write one, and names that lead where the table says. */
import type { Address } from "../../core/addresses.ts";

const NAMES: Record<string, string[]> = {
  "public.test": ["93.184.215.14"],
  "six.test": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
  "inside.test": ["10.0.0.7"],
  "mixed.test": ["93.184.215.14", "127.0.0.1"],
  "nowhere.test": [],
};

export const lookup = async (host: string): Promise<Address[]> => {
  const addresses = NAMES[host];
  if (!addresses) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" });
  return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
};

/** What it is, and the address. */
export const REFUSED: [string, string][] = [
  ["loopback", "http://127.0.0.1:8080/"],
  ["all of loopback", "http://127.255.255.254/"],
  ["loopback in IPv6", "http://[::1]/"],
  ["localhost", "http://localhost/"],
  ["a name under localhost", "http://models.localhost/"],
  ["localhost with a dot", "http://localhost./"],
  ["unspecified", "http://0.0.0.0/"],
  ["a part of 0/8", "http://0.1.2.3/"],
  ["unspecified in IPv6", "http://[::]/"],
  ["private 10/8", "http://10.1.2.3/"],
  ["private 172.16/12", "http://172.31.255.255/"],
  ["private 192.168/16", "http://192.168.0.1/"],
  ["link-local, where metadata is", "http://169.254.169.254/latest/meta-data/"],
  ["link-local in IPv6", "http://[fe80::1]/"],
  ["unique local", "http://[fd00:ec2::254]/"],
  ["site-local", "http://[fec0::1]/"],
  ["carrier-grade NAT", "http://100.64.0.1/"],
  ["Alibaba's metadata", "http://100.100.100.200/"],
  ["Azure's metadata", "http://168.63.129.16/"],
  ["Oracle's metadata", "http://192.0.0.192/"],
  ["multicast", "http://224.0.0.1/"],
  ["multicast in IPv6", "http://[ff02::1]/"],
  ["broadcast", "http://255.255.255.255/"],
  ["reserved", "http://240.0.0.1/"],
  ["documentation", "http://192.0.2.1/"],
  ["documentation in IPv6", "http://[2001:db8::1]/"],
  ["new documentation in IPv6", "http://[3fff::1]/"],
  ["benchmarking", "http://198.18.0.1/"],
  ["IPv4-mapped", "http://[::ffff:127.0.0.1]/"],
  ["IPv4-mapped, of a public one", "http://[::ffff:93.184.215.14]/"],
  ["IPv4-mapped in hex", "http://[::ffff:7f00:1]/"],
  ["IPv4-compatible", "http://[::7f00:1]/"],
  ["NAT64", "http://[64:ff9b::7f00:1]/"],
  ["local NAT64", "http://[64:ff9b:1::a00:1]/"],
  ["6to4", "http://[2002:7f00:1::]/"],
  ["Teredo", "http://[2001:0:7f00:1::1]/"],
  ["decimal", "http://2130706433/"],
  ["hex", "http://0x7f000001/"],
  ["octal", "http://0177.0.0.1/"],
  ["short", "http://127.1/"],
  ["hex of a public one", "http://0x5db8d70e/"],
  ["full-width digits", "http://１２７.0.0.1/"],
  ["percent-encoded", "http://%31%32%37.0.0.1/"],
  ["a name that leads inside", "http://inside.test/"],
  ["a name that leads to both", "https://mixed.test/"],
  ["a name without addresses", "https://nowhere.test/"],
  ["an unknown name", "https://unknown.test/"],
  ["a password", "https://ann:secret@public.test/"],
  ["a user name", "https://ann@public.test/"],
  ["a file", "file:///etc/passwd"],
  ["ftp", "ftp://public.test/"],
  ["data", "data:text/plain,hello"],
  ["no address at all", "public.test"],
  ["nothing", ""],
];
