// A memory adapter for the comparison, in favour of oidc-provider: every operation takes constant time.
// The adapter it ships (ADAPTER=shipped) is made for development: it keeps 1,000 entries, so that chains which wait for
// their turn are forgotten, and walks all unexpired tokens of a grant at each refresh, so that a chain becomes slower the
// longer it lives. Measuring that would not measure the library.

// Used refresh tokens and codes would pile up; beyond this many entries the oldest go. No chain waits for so many others.
const MAX_TOKENS = 40_000;

/** Entries in the order of their insertion; `bound` drops the oldest beyond MAX_TOKENS. */
class Table {
  #entries = new Map();

  constructor(bound) {
    this.bound = bound;
  }

  get(id) {
    return this.#entries.get(id);
  }

  set(id, payload) {
    this.#entries.set(id, payload);
    if (this.bound && this.#entries.size > MAX_TOKENS) this.delete(this.#entries.keys().next().value);
  }

  delete(id) {
    this.#entries.delete(id);
  }

  * ofGrant(grantId) {
    for (const [id, payload] of this.#entries) if (payload.grantId === grantId) yield id;
  }
}

/** The adapter factory that oidc-provider calls once per model. */
export function memoryAdapter() {
  return (model) => {
    const table = new Table(model !== 'Grant' && model !== 'Client');
    return {
      async upsert(id, payload) { table.set(id, payload); },
      async find(id) { return table.get(id); },
      async consume(id) { table.get(id).consumed = Math.floor(Date.now() / 1000); },
      async destroy(id) { table.delete(id); },
      async revokeByGrantId(grantId) { for (const id of [...table.ofGrant(grantId)]) table.delete(id); },
      async findByUid() { return undefined; },
      async findByUserCode() { return undefined; },
    };
  };
}
