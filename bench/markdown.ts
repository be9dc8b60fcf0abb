/** A Markdown table; columns of numbers line up on the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i].length)),
  );
  const numeric = head.map((_, i) => rows.every((row) => /^[\d-]/.test(row[i])));
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, i) =>
      numeric[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]),
    );
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, i) =>
    numeric[i] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** A number rounded, with commas between thousands. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
