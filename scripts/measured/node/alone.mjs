// alone.py for Node: `node alone.mjs FOLDER`. Lines of JSON in, each a list of events; a line of JSON out for each.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const mostBytes = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;

const { handler } = await import(`${process.argv[2]}/handler.mjs`);
for await (const line of createInterface({ input: process.stdin })) {
  const told = { answers: [], seconds: [], cpu_seconds: [] };
  for (const event of JSON.parse(line)) {
    const [at, cpuAt] = [performance.now(), cpu()];
    told.answers.push(await handler(event));
    told.cpu_seconds.push(cpu() - cpuAt);
    told.seconds.push((performance.now() - at) / 1e3);
  }
  console.log(JSON.stringify({ ...told, cpu_seconds_since_start: cpu(), most_bytes: mostBytes() }));
}
