/**
 * The Firebase SDK takes hold of fetch when it is loaded, and the specs share what was loaded. It gets one that asks at each
 * call which fetch it is now, so that a spec can stub it, in whatever order they run.
 */
const own = globalThis.fetch;
const late: typeof fetch = (...request) => (globalThis.fetch === late ? own : globalThis.fetch)(...request);
globalThis.fetch = late;
