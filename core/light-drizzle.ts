import { registerHooks } from "node:module";

/**
 * Loads drizzle's CommonJS build in place of its ES modules. Those import each other in circles, which Node 26 links in 0.4 s while it takes
 * 110 MB that it never gives back; the other build of the same release takes 0.05 s and 15 MB (docs/decisions/0002).
 * Must be imported before anything that imports drizzle.
 */
registerHooks({
  resolve(specifier, context, next) {
    if (!/^drizzle-orm(\/|$)/.test(specifier)) return next(specifier, context);
    return { ...next(specifier, { ...context, conditions: ["node", "require"] }), format: "commonjs" };
  },
});
