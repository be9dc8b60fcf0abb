/** Whether a name holds one of the parts; none stands for all names. */
export function hasPart(name: string, parts: readonly string[]): boolean {
  return parts.length === 0 || parts.some((part) => name.includes(part));
}
