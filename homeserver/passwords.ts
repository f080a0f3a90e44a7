/** Which passwords are taken: long enough and not among those that are tried first (after NIST SP 800-63B: no rules of composition). Pure. */

const TOO_EASY = "This password is too easy to guess.";

/**
 * What is wrong with a password, as a sentence; null when nothing is. `names` are its owner's, which it may not consist of.
 * Synapse takes up to 512 characters.
 */
export function passwordProblem(password: string, names: readonly (string | null | undefined)[] = []): string | null {
  if ([...password].length < 8) return "A password has at least 8 characters.";
  if (password.length > 512 || password.includes("\0"))
    return "This password is too long: 512 characters are the most.";
  const small = password.toLowerCase();
  const easy =
    new Set(small).size < 3 ||
    isCommon(small) ||
    unitsOf(small) < 5 ||
    isRepeated(small) ||
    names.some((name) => isName(small, name?.toLowerCase() ?? ""));
  return easy ? TOO_EASY : null;
}

/** One of the list, perhaps with digits and signs before or after it, or with digits for letters ("p4ssw0rd!"). */
function isCommon(small: string): boolean {
  return [small, bare(small), bare(asLetters(small)), asLetters(small)].some((form) => COMMON.has(form));
}

/** Without what is not a letter at both ends. */
const bare = (small: string): string => small.replace(/^[^\p{L}]+/u, "").replace(/[^\p{L}]+$/u, "");

const LOOKS: Record<string, string> = { "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", $: "s" };
const asLetters = (small: string): string => small.replaceAll(/[013457@$]/g, (sign) => LOOKS[sign] ?? sign);

/** How much there is to remember: a run like "1234", "dcba", "aaaa" or "qwert" counts for two characters. */
function unitsOf(small: string): number {
  const chars = [...small];
  let units = 0;
  for (let start = 0; start < chars.length; ) {
    const length = runFrom(chars, start);
    units += length >= 3 ? 2 : 1;
    start += length >= 3 ? length : 1;
  }
  return units;
}

const ROWS = ["1234567890", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "azertyuiop"];
const NEXT = new Set(ROWS.flatMap((row) => [...row].slice(1).map((char, index) => `${row[index]}${char}`)));

/** How many characters from here on follow one another in one and the same way. */
function runFrom(chars: string[], start: number): number {
  const ways = [
    (a: string, b: string) => (b.codePointAt(0) ?? 0) === (a.codePointAt(0) ?? 0),
    (a: string, b: string) => (b.codePointAt(0) ?? 0) === (a.codePointAt(0) ?? 0) + 1,
    (a: string, b: string) => (b.codePointAt(0) ?? 0) === (a.codePointAt(0) ?? 0) - 1,
    (a: string, b: string) => NEXT.has(a + b),
    (a: string, b: string) => NEXT.has(b + a),
  ];
  const lengths = ways.map((follows) => {
    let end = start;
    while (end + 1 < chars.length && follows(chars[end] ?? "", chars[end + 1] ?? "")) end++;
    return end - start + 1;
  });
  return Math.max(...lengths);
}

/** "abababab", "x1y2x1y2": up to four characters again and again. */
function isRepeated(small: string): boolean {
  return [1, 2, 3, 4].some((size) => small.length >= 2 * size && [...small].every((c, i) => c === small[i % size]));
}

/** The owner's name, forwards or backwards, with little beside it. */
function isName(small: string, name: string): boolean {
  const plain = name.replaceAll(/[^\p{L}\p{N}]/gu, "");
  return [name, plain].some((given) => {
    if (given.length < 3) return false;
    return [given, [...given].toReversed().join("")].some(
      (form) => bare(small) === bare(form) || (small.includes(form) && small.length - form.length < 5),
    );
  });
}

/** What is tried first, without the sequences and repetitions that are found by rule. */
const COMMON = new Set(
  `password passwort motdepasse contraseña senha passwords mypassword password123 iloveyou ichliebedich jetaime letmein letmeinnow welcome
welcometo willkommen bienvenue welcomeback admin administrator superadmin rootroot superuser changeme changeit changemenow secret geheim
topsecret verysecret default defaultpassword sunshine princess prinzessin football fussball baseball basketball superman batman
spiderman monkey dragon master hello hallo helloworld hallowelt whatever trustno trustnoone starwars pokemon computer internet samsung
google facebook linkedin youtube microsoft windows apple iphone android michael jessica jennifer michelle charlie daniel thomas robert
jordan hunter killer freedom freiheit summer winter spring autumn sommer herbst fruehling mustang corvette ferrari mercedes porsche
liverpool chelsea arsenal barcelona juventus schalke bayern dortmund hamburg berlin muenchen london paris newyork america australia
canada germany deutschland schatz schatzi sonnenschein blumen blume qwerty qwertz azerty qwertyuiop asdfghjkl qazwsx qazwsxedc zaqwsx
zaqxsw onetwothree abcdef abcdefgh lovely loveyou loveme mylove babygirl butterfly flower cookie chocolate schokolade purple orange
ginger pepper cheese banana matrix element agentopia synapse riot test tester testing testtest testpassword demo demodemo guest
gast user username benutzer login signin access zugang server company firma office buero nopassword nopass keinpasswort passw pass
passpass password1234 passwordpassword matthew joshua andrew ashley amanda nicole hannah maggie buster shadow tigger soccer hockey
jesus christ jesuschrist blessed heaven angel angels god godisgood family familie mother father friends freunde forever immer
naruto minecraft fortnite playstation nintendo zelda ninja pirate warrior wizard magic silver golden diamond thunder lightning
phoenix tiger lion eagle dolphin wolf wolfgang bear teddy teddybear snoopy mickey mickeymouse donald`.split(/\s+/),
);
for (const digits of [
  "112233445566",
  "11223344",
  "1122334455",
  "13579246",
  "1q2w3e4r",
  "1q2w3e4r5t",
  "1qaz2wsx",
  "1qaz2wsx3edc",
  "q1w2e3r4",
  "a1b2c3d4",
  "a1s2d3f4",
  "zaq12wsx",
  "147258369",
  "159753456",
  "19871987",
  "01012000",
  "31415926",
  "27182818",
  "10203040",
  "123123123",
  "69696969",
  "00000007",
])
  COMMON.add(digits);
