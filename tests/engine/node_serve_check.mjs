// Starts the command of an image, given as JSON, asks it and prints what it answers.
import { spawn } from 'node:child_process';

const [program, ...words] = JSON.parse(process.argv[2]);
const port = '18080';
const server = spawn(program, words, { stdio: 'inherit', env: { ...process.env, PORT: port } });
server.on('exit', (code) => { console.log(`the server ended: ${code}`); process.exit(1); });
for (let tries = 0; tries < 200; tries++) {
  try {
    console.log(`answer: ${await (await fetch(`http://127.0.0.1:${port}/`)).text()}`);
    process.exit(0);
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
console.log('no answer');
process.exit(1);
