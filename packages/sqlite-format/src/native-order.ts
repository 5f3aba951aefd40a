/**
 * True where words lie in memory with their lowest byte first, as on every machine that Node.js
 * is commonly built for. The wal-index is memory shared between processes of one machine and so in
 * that machine's order, whatever it is; nothing in it says which.
 */
export const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
