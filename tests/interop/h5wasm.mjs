// usage: node h5wasm.mjs FILE MODULE: h5wasm reads the numbers of `plain.h5`.
import { pathToFileURL } from 'node:url';
import fs from 'node:fs';

const [path, module] = process.argv.slice(2);
const entry = JSON.parse(fs.readFileSync(module + '/package.json')).exports['./node'];
const target = typeof entry === 'string' ? entry : entry.import ?? entry.default;
const h5wasm = (await import(pathToFileURL(module + '/' + (target.default ?? target)))).default;
await h5wasm.ready;
const file = new h5wasm.File(path, 'r');
for (const name of ['packed', 'two', 'flat']) {
    const data = file.get(name);
    if (data.shape.join() !== '23,5') throw new Error(`${name}: shape ${data.shape}`);
    data.value.forEach((value, index) => {
        if (value !== index * 0.5) throw new Error(`${name}[${index}] is ${value}`);
    });
}
if (file.attrs.fs.value !== 16000) throw new Error('fs');
