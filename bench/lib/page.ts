/** A report as one HTML page that needs nothing else: tables, and a chart per bench drawn as SVG. */
import { machineLine } from "./print.ts";
import { loadName, type ClusterReport, type ClusterRow, type Report } from "./report.ts";

const barHeight = 18;
const barGap = 6;
const labelWidth = 260;
const chartWidth = 520;
const valueWidth = 120;

export function htmlPage(report: Report): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Latticework benches, ${escaped(report.machine.commit)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: 0.25rem 0.75rem; text-align: right; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
.invalid { color: #b00; font-weight: 600; }
svg text { fill: currentColor; font: 13px system-ui, sans-serif; }
</style>
</head>
<body>
<h1>Benches</h1>
<p>${escaped(machineLine(report.machine))}</p>
<p>Medians of ${String(report.repetitions)} interleaved repetitions. Only ratios within one run count:
rates depend on what else the machine does.</p>
${report.clusters.map(clusterSection).join("\n")}
${report.micro.length === 0 ? "" : microSection(report)}
</body>
</html>
`;
}

function clusterSection(cluster: ClusterReport): string {
  const invalid =
    cluster.invalid === undefined
      ? ""
      : `<p class="invalid">Invalid: ${escaped(cluster.invalid)}</p>`;
  const loads = [...new Set(cluster.rows.map((row) => loadName(row.load)))];
  const charts = loads.map((load) => {
    const rows = cluster.rows.filter((row) => loadName(row.load) === load);
    return `<h3>${escaped(load)}</h3>\n${chart(rows)}`;
  });
  return `<h2>${escaped(cluster.title)}</h2>\n${invalid}\n${charts.join("\n")}\n${table(cluster)}`;
}

/** Calls per second as bars. */
function chart(rows: readonly ClusterRow[]): string {
  // Where nobody answered anything, nothing is drawn.
  const most = Math.max(1, ...rows.map((row) => row.callsPerS));
  const height = rows.length * (barHeight + barGap);
  const bars = rows.map((row, index) => {
    const y = index * (barHeight + barGap);
    const width = Math.max(1, (row.callsPerS / most) * chartWidth);
    const fill = row.subject.startsWith("latticework") ? "#2a6fdb" : "#9aa5b1";
    const middle = y + barHeight - 5;
    const value = `${Math.round(row.callsPerS).toLocaleString("en-US")}/s`;
    return (
      `<text x="${String(labelWidth - 8)}" y="${String(middle)}" text-anchor="end">` +
      `${escaped(row.subject)}</text>` +
      `<rect x="${String(labelWidth)}" y="${String(y)}" width="${width.toFixed(1)}" ` +
      `height="${String(barHeight)}" fill="${fill}"/>` +
      `<text x="${(labelWidth + width + 6).toFixed(1)}" y="${String(middle)}">${value}</text>`
    );
  });
  const width = labelWidth + chartWidth + valueWidth;
  return (
    `<svg viewBox="0 0 ${String(width)} ${String(height)}" role="img" ` +
    `aria-label="calls per second">${bars.join("")}</svg>`
  );
}

function table({ rows }: ClusterReport): string {
  const references = [...new Set(rows.flatMap((row) => row.ratios.map((r) => r.reference)))];
  const head = ["", "load", "calls/s", "p50 µs", "p99 µs", "client CPU µs", "server CPU µs"];
  const body = rows.map((row) => [
    row.subject,
    loadName(row.load),
    Math.round(row.callsPerS).toLocaleString("en-US"),
    row.p50Us.toFixed(1),
    row.p99Us.toFixed(1),
    row.clientUsPerCall.toFixed(2),
    row.serverUsPerCall.toFixed(2),
    ...references.map(
      (name) => row.ratios.find((r) => r.reference === name)?.throughput.toFixed(3) ?? "",
    ),
  ]);
  return tableOf([...head, ...references.map((name) => `× ${name}`)], body);
}

function microSection({ micro }: Report): string {
  const body = micro.map((result) => [
    result.bench,
    result.task,
    Math.round(result.nsPerOperation).toLocaleString("en-US"),
    result.samples.toLocaleString("en-US"),
  ]);
  return `<h2>Micro benches</h2>\n${tableOf(["bench", "task", "ns/operation", "samples"], body)}`;
}

function tableOf(head: readonly string[], body: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  const rows = body.map((cells) => row(cells, "td")).join("\n");
  return `<table>\n${row(head, "th")}\n${rows}\n</table>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
