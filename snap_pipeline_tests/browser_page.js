// Runs code blocks of docs/browser-and-server.md as pages of one browser would, and prints what left each page.
// Standard input: {"blocks": [JavaScript], "pages": [{"url", "call": JavaScript}]}.
const vm = require('vm');

const { blocks, pages } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const jar = new Map([['_scid', 'pixel%2Dcookie']]);
const document = {
  get cookie() { return [...jar].map(([name, value]) => `${name}=${value}`).join('; '); },
  set cookie(text) {
    const [name, value] = text.split(';')[0].split('=');
    jar.set(name, value);
  }
};

const left = pages.map(({ url, call }, number) => {
  const { search, hash, href } = new URL(url);
  const events = [], hits = [], middleware = [];
  const track = (type, event, properties) => {
    const payload = { obj: { type, event, properties, messageId: `message-${number}`, timestamp: new Date().toISOString() } };
    middleware.forEach((each) => each({ payload, next: () => events.push(payload.obj) }));
  };
  const page = {
    document, location: { search, hash, href }, crypto: globalThis.crypto,
    navigator: { sendBeacon: (_, body) => events.push(JSON.parse(body)) },
    snaptr: (_, name, fields) => hits.push({ name, ...fields }),
    analytics: { addSourceMiddleware: (each) => middleware.push(each), track: (name, properties) => track('track', name, properties) }
  };
  page.window = page;
  vm.runInNewContext([...blocks, call].join('\n'), page);
  return { events, hits };
});
console.log(JSON.stringify({ left, cookies: Object.fromEntries(jar) }));
