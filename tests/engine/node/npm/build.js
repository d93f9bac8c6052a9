const fs = require('fs');
const isOdd = require('is-odd');
fs.mkdirSync('dist', { recursive: true });
fs.writeFileSync('dist/index.html', `1 is odd: ${isOdd(1)}\n`);
