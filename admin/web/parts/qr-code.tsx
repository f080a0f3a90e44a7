import { Image } from "@mantine/core";

/** For a phone's camera. `svg`: as the API makes it. */
export const QrCode = ({ svg, alt }: { svg: string; alt: string }) => (
  <Image src={`data:image/svg+xml,${encodeURIComponent(svg)}`} alt={alt} w={220} h={220} radius="md" mx="auto" />
);
