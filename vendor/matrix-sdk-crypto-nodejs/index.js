// matrix-bot-sdk requires this module when it is imported, and reads only these names at that moment.
// Whoever turns encryption on replaces this package by the real one.
const missing = () => {
  throw new Error("Agentopia runs without end-to-end encryption: the native crypto module is not part of it.");
};
module.exports = { StoreType: { Sled: 0, Sqlite: 1 }, OlmMachine: missing };
