// auth_client.mjs FILE: an access token with google-auth-library, from a credentials file. It sends keys and refresh
// tokens to Google whatever the file says; here, to the servers.
import { createRequire } from 'node:module';
const require = createRequire(process.env.NODE_MODULES + '/x.js');
const { GoogleAuth } = require('google-auth-library');
const { Gaxios } = require('gaxios');
const request = Gaxios.prototype.request;
Gaxios.prototype.request = function (options) {
  const url = String(options.url).replace(/^https:..(oauth2|iamcredentials).googleapis.com/, process.env.PL_CLOUD_URL);
  return request.call(this, { ...options, url });
};
const auth = new GoogleAuth({ keyFilename: process.argv[2], scopes: ['https://www.googleapis.com/auth/cloud-platform'] });
const client = await auth.getClient();
console.log((await client.getAccessToken()).token);
