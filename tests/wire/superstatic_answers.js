// node superstatic_answers.js CASES SITE: what superstatic (as firebase-tools runs it) answers to each request of each
// case, one JSON object a line: {"case", "path", "visitor", "status", "headers", "body"}.
const fs = require('fs'), http = require('http'), superstatic = require('superstatic').server;
const [cases, site] = process.argv.slice(2);

function ask(port, path, headers) {
    return new Promise((resolve, reject) => {
        const give_up = setTimeout(() => resolve({ status: 0, headers: {}, body: '' }), 2000);
        http.get({ port, host: '127.0.0.1', path, headers, agent: false }, (response) => {
            clearTimeout(give_up);
            let body = '';
            response.setEncoding('latin1').on('data', (data) => { body += data; }).on('end', () => {
                resolve({ status: response.statusCode, headers: response.headers, body });
            });
        }).on('error', reject);
    });
}

// An expression that only RE2 knows throws in the middle of a request: the connection breaks off.
process.on('uncaughtException', () => {});
process.on('unhandledRejection', () => {});

(async () => {
    for (const line of fs.readFileSync(cases, 'utf8').trim().split('\n')) {
        const one = JSON.parse(line);
        const config = { ...one.config, public: site };
        const app = superstatic({ port: 0, hostname: '127.0.0.1', config, cwd: '/', stack: 'strict', fallthrough: false });
        const server = await new Promise((resolve) => { const s = app.listen(() => resolve(s)); });
        for (const visitor of one.visitors || [{}]) {
            for (const path of one.paths) {
                const answer = await ask(server.address().port, path, visitor);
                console.log(JSON.stringify({ case: one.case, path, visitor, ...answer }));
            }
        }
        server.closeAllConnections();
        server.close();
    }
})();
