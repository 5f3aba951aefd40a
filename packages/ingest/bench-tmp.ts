const cpuMs = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1000; };
import { Enricher, parseEvent, requestFacts, DEFAULT_TRUST } from './src/index.ts';
import { DEFAULT_SITE_SETTINGS } from '@loggia/contract';
import { randomBytes } from 'node:crypto';
const salts = new Map<string, Uint8Array>();
const source = { ensure(s: number, d: string) { const k = s + d; let v = salts.get(k); if (!v) salts.set(k, (v = randomBytes(32))); return v; }, existing(s: number, d: string) { return this.ensure(s, d); } };
const e = new Enricher({ salts: source });
const site = { id: 1, domain: 'example.org', timezone: 'Europe/Berlin', createdMs: 0, scriptId: 'x', settings: DEFAULT_SITE_SETTINGS };
const text = JSON.stringify({ n: 'pageview', u: 'https://www.example.org/blog/some-article-about-things?utm_source=newsletter&utm_medium=email&utm_campaign=spring', d: 'example.org', r: 'https://www.google.com/', v: 30, p: { author: 'ann', paid: true } });
const headers = (i: number) => ({ 'x-forwarded-for': `203.0.${i % 200}.9`, 'user-agent': `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + (i % 30)}.0.0.0 Safari/537.36`, 'accept-language': 'de-AT,de;q=0.9,en;q=0.5' });
function run(n: number) { const t = cpuMs(); for (let i = 0; i < n; i++) { const p = parseEvent(JSON.parse(text)); if (!p.ok) throw 1; const f = requestFacts({ socketAddress: '10.0.0.1', headers: headers(i), trust: DEFAULT_TRUST, nowMs: 1.79e12 + i }); const h = e.enrich(p.event, site, f); if ('dropped' in h) throw h; if (i === 0 && n < 100) console.log(h); } return ((cpuMs() - t) / n) * 1000; }
run(10); run(20000); console.log('us/event all', run(100000).toFixed(2));
const parsed = parseEvent(JSON.parse(text)); if (!parsed.ok) throw 1;
const f = requestFacts({ socketAddress: '10.0.0.1', headers: headers(1), trust: DEFAULT_TRUST, nowMs: 1.79e12 });
let t = cpuMs(); for (let i = 0; i < 100000; i++) parseEvent(JSON.parse(text)); console.log('parse+JSON', ((cpuMs() - t) * 10).toFixed(2),'ns/1000');
t = cpuMs(); for (let i = 0; i < 100000; i++) requestFacts({ socketAddress: '10.0.0.1', headers: headers(i), trust: DEFAULT_TRUST, nowMs: 1.79e12 }); console.log('facts', ((cpuMs() - t) / 100).toFixed(2));
t = cpuMs(); for (let i = 0; i < 100000; i++) e.enrich(parsed.event, site, f); console.log('enrich', ((cpuMs() - t) / 100).toFixed(2));
