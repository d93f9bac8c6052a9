const http = require('http');
const show = require('@it/ui');

http.createServer((request, response) => response.end(show(8))).listen(process.env.PORT);
