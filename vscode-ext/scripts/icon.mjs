// Draws media/icon.png: a star over a dotted line. Run: node scripts/icon.mjs
import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

const SIZE = 128;
const SAMPLES = 4; // a side, for smooth edges
const BACKGROUND = [28, 34, 48];
const GOLD = [226, 176, 74];

const star = Array.from({ length: 10 }, (_, i) => {
  const radius = i % 2 === 0 ? 40 : 16.5;
  const angle = -Math.PI / 2 + (i * Math.PI) / 5;
  return [64 + radius * Math.cos(angle), 54 + radius * Math.sin(angle)];
});

function inPolygon(x, y, points) {
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [xi, yi] = points[i];
    const [xj, yj] = points[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

const inDots = (x, y) => [28, 46, 64, 82, 100].some((cx) => Math.hypot(x - cx, y - 108) < 5);

function inCard(x, y) {
  const d = (v) => Math.max(22 - v, v - (SIZE - 22), 0);
  return Math.hypot(d(x), d(y)) <= 22;
}

function pixel(px, py) {
  let card = 0;
  let gold = 0;
  for (let i = 0; i < SAMPLES ** 2; i++) {
    const x = px + ((i % SAMPLES) + 0.5) / SAMPLES;
    const y = py + (Math.floor(i / SAMPLES) + 0.5) / SAMPLES;
    card += inCard(x, y) ? 1 : 0;
    gold += inPolygon(x, y, star) || inDots(x, y) ? 1 : 0;
  }
  const share = gold / SAMPLES ** 2;
  const colour = BACKGROUND.map((value, c) => Math.round(value + (GOLD[c] - value) * share));
  return [...colour, Math.round((255 * card) / SAMPLES ** 2)];
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}

const header = Buffer.alloc(13);
header.writeUInt32BE(SIZE, 0);
header.writeUInt32BE(SIZE, 4);
header.set([8, 6, 0, 0, 0], 8); // 8 bits a channel, RGBA
const rows = Array.from({ length: SIZE }, (_, y) =>
  Buffer.from([0, ...Array.from({ length: SIZE }, (_, x) => pixel(x, y)).flat()]),
);
const png = Buffer.concat([
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  chunk("IHDR", header),
  chunk("IDAT", deflateSync(Buffer.concat(rows), { level: 9 })),
  chunk("IEND", Buffer.alloc(0)),
]);
writeFileSync(new URL("../media/icon.png", import.meta.url), png);
