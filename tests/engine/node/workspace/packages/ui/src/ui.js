const isNumber = require('is-number');

module.exports = (value) => `<p>${isNumber(value) ? value : '?'}</p>`;
