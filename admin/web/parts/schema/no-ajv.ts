/** Stands in for rjsf's own validator, which its tests import from inside its package: it makes code of schemas, and is not in this build. */
export default undefined;
