/** How strong a password looks while it is typed. The server decides; this only guides. Pure. */
export interface Strength {
  /** 0: too short, 4: strong. */
  level: 0 | 1 | 2 | 3 | 4;
  long: boolean;
  varied: boolean;
  noName: boolean;
}

/** Bits from which a password is weak, fair, good, strong. */
const LEVELS = [0, 45, 60, 80] as const;

export function strengthOf(password: string, name: string, least: number): Strength {
  const characters = [...password];
  const distinct = new Set(characters.map((character) => character.toLowerCase())).size;
  const bare = password.toLowerCase().replace(name.toLowerCase() || "\0", "");
  const long = characters.length >= least;
  const varied = distinct >= 5;
  const noName =
    name === "" ||
    bare.length >= Math.min(least, password.length) ||
    !password.toLowerCase().includes(name.toLowerCase());
  if (!long) return { level: 0, long, varied, noName };
  // Each character counts less the more often it comes again.
  const bits = Math.min(characters.length, distinct * 1.6) * Math.log2(poolOf(password));
  const level = LEVELS.filter((bound) => bits >= bound).length as 1 | 2 | 3 | 4;
  return { level: varied && noName ? level : 1, long, varied, noName };
}

function poolOf(password: string): number {
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/];
  const sizes = [26, 26, 10, 33];
  return kinds.reduce((sum, kind, index) => sum + (kind.test(password) ? (sizes[index] ?? 0) : 0), 1);
}
