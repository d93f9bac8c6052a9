const http = require('http');
const path = require('path');
const isNumber = require('is-number');

function has(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

const answer = JSON.stringify({
  number: isNumber(7),
  odd: has('is-odd'),
  built: path.basename(__dirname) === 'dist',
  user: process.getuid(),
});
http.createServer((request, response) => response.end(answer)).listen(process.env.PORT);
