/** What Linux says about processes, and what numbers say about a list of them. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** CPU time of one process, its threads included, in milliseconds (proc(5): utime and stime). */
export function cpuMs(pid: number): number {
  const fields = statOf(pid);
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Proportional set size in MiB: shared pages are divided among those who share them. */
export function pssMiB(pid: number): number {
  const kib = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1];
  return Number(kib ?? 0) / 1024;
}

export interface Process {
  pid: number;
  parent: number;
  command: string;
}

export function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const pid = Number(name);
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return [{ pid, parent: Number(statOf(pid)[1]), command }];
      } catch (error) {
        if (/ENOENT|ESRCH/.test(String(error))) return []; // it ended meanwhile
        throw error;
      }
    });
}

/** A process and everything below it. */
export function treeOf(root: number, all: Process[] = processes()): number[] {
  const below = all.filter(({ parent }) => parent === root).flatMap(({ pid }) => treeOf(pid, all));
  return [root, ...below];
}

/** Fields of /proc/PID/stat after the command's name: the first is field 3 of proc(5). */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** The value below which a part `p` of the figures lies (nearest rank). */
export function percentile(figures: number[], p: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? Number.NaN;
}

export const mean = (figures: number[]): number => figures.reduce((sum, one) => sum + one, 0) / figures.length;
