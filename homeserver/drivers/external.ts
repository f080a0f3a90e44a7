import type { Driver } from "./driver.ts";

export const externalDriver: Driver = {
  plan: () => Promise.reject(new Error("in the making")),
  start: () => Promise.reject(new Error("in the making")),
  halt: () => Promise.reject(new Error("in the making")),
  remove: () => Promise.reject(new Error("in the making")),
};
