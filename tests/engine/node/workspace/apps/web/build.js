const fs = require('fs');
const show = require('@it/ui');

fs.mkdirSync('dist', { recursive: true });
fs.writeFileSync('dist/index.html', `${show(7)}\n`);
