const DEPTH_MAX = 16;

/** Bytes behind the types 0xc0 … 0xdf that say all by themselves; −1 for the others. */
const FIXED: readonly number[] = [
  0, -1, 0, 0, -1, -1, -1, -1, -1, -1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, -1, -1, -1, -1,
  -1, -1, -1,
];

/** Bytes of the length behind those of them that have one: bin, ext, str; then array and map. */
const LENGTHS: readonly number[] = [
  0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4,
];

/**
 * Whether bytes are one msgpack value, nested at most 16 deep, whose arrays and maps say no more items
 * than there are bytes for. A decoder makes room for what an array says before it has seen it: a
 * few bytes of another kind would take all of the memory that there is.
 */
export function isBoundedMsgpack(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Values to come, at each depth. */
  const open: number[] = [1];
  let at = 0;
  while (open.length > 0) {
    if (open.at(-1) === 0) {
      open.pop();
      continue;
    }
    open[open.length - 1]!--;
    if (at >= bytes.length) return false;
    const head = headAt(view, at);
    if (head === undefined) return false;
    at += head.bytes;
    if (head.items > bytes.length - at || at > bytes.length) return false;
    if (head.items > 0) open.push(head.items);
    if (open.length > DEPTH_MAX) return false;
  }
  return at === bytes.length;
}

/** Bytes of a value without its items, and how many values its items are; undefined for no value. */
function headAt(view: DataView, at: number): { bytes: number; items: number } | undefined {
  const type = view.getUint8(at);
  if (type < 0x80 || type >= 0xe0) return { bytes: 1, items: 0 };
  if (type < 0x90) return { bytes: 1, items: 2 * (type & 15) };
  if (type < 0xa0) return { bytes: 1, items: type & 15 };
  if (type < 0xc0) return { bytes: 1 + (type & 31), items: 0 };
  const fixed = FIXED[type - 0xc0]!;
  if (fixed >= 0) return { bytes: 1 + fixed, items: 0 };
  const width = LENGTHS[type - 0xc0]!;
  if (width === 0 || at + 1 + width > view.byteLength) return undefined;
  const length = lengthAt(view, at + 1, width);
  const bytes = 1 + width;
  if (type >= 0xdc) return { bytes, items: type >= 0xde ? 2 * length : length };
  // An extension has its kind before its content.
  return { bytes: bytes + length + (type >= 0xc7 && type <= 0xc9 ? 1 : 0), items: 0 };
}

function lengthAt(view: DataView, at: number, width: number): number {
  if (width === 1) return view.getUint8(at);
  return width === 2 ? view.getUint16(at) : view.getUint32(at);
}
