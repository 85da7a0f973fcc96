// embedded-log-file.ts — how the embedded bus's SQLite file is opened, by its reader and by its writer alike.

// FULL: what produce resolved for must outlive a power cut.
export const LOG_PRAGMAS = `PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=10000;
  PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;`;
