import { useClient } from "../me.tsx";
import { ClientHome } from "./home/client.tsx";
import { OperatorHome } from "./home/operator.tsx";

/** The first page: of the platform for operators, of a client for everybody else. */
export default function HomePage() {
  const client = useClient();
  return client === null ? <OperatorHome /> : <ClientHome client={client} key={client} />;
}
