// google_cloud_run.cjs CLOUD make SERVICE IMAGE | CLOUD change SERVICE: Google's client library over its REST transport makes a
// service with many settings, or adds a variable to one, as its users do: read, change, write.
const {ServicesClient} = require('@google-cloud/run').v2;
const {GoogleAuth} = require('google-auth-library');
const [cloud, what, id, image] = process.argv.slice(2);
const url = new URL(cloud);
const auth = new GoogleAuth({scopes: 'https://www.googleapis.com/auth/cloud-platform'});
const client = new ServicesClient({apiEndpoint: url.hostname, port: Number(url.port), protocol: 'http', fallback: true, auth});
const parent = 'projects/pl-local/locations/us-central1', name = `${parent}/services/${id}`;

const service = {
  description: 'made by the library', labels: {team: 'web'}, annotations: {'example.com/a': 'b'}, ingress: 'INGRESS_TRAFFIC_INTERNAL_ONLY',
  invokerIamDisabled: true, customAudiences: ['https://a.example'], binaryAuthorization: {useDefault: true},
  scaling: {maxInstanceCount: 9}, launchStage: 'BETA',
  template: {
    labels: {tier: 'front'}, annotations: {'example.com/c': 'd'}, timeout: {seconds: 77}, maxInstanceRequestConcurrency: 17,
    scaling: {maxInstanceCount: 4}, sessionAffinity: true, executionEnvironment: 'EXECUTION_ENVIRONMENT_GEN2',
    vpcAccess: {egress: 'ALL_TRAFFIC', networkInterfaces: [{network: 'net', subnetwork: 'sub', tags: ['a']}]},
    encryptionKey: 'projects/p/locations/l/keyRings/r/cryptoKeys/k', encryptionKeyRevocationAction: 'PREVENT_NEW',
    volumes: [{name: 'files', secret: {secret: 'key', items: [{path: 'file', version: '1', mode: 0o400}]}},
              {name: 'scratch', emptyDir: {medium: 'MEMORY', sizeLimit: '16Mi'}}],
    containers: [{
      name: 'app', image, env: [{name: 'A', value: '1'}, {name: 'S', valueSource: {secretKeyRef: {secret: 'key', version: 'latest'}}}, {name: 'Z', value: ''}],
      resources: {limits: {cpu: '1', memory: '256Mi'}, startupCpuBoost: true}, ports: [{name: 'http1', containerPort: 8080}],
      volumeMounts: [{name: 'files', mountPath: '/files'}, {name: 'scratch', mountPath: '/scratch'}],
      startupProbe: {httpGet: {path: '/', port: 8080, httpHeaders: [{name: 'X-A', value: 'b'}]}, periodSeconds: 1, failureThreshold: 30},
    }],
  },
};

(async () => {
  if (what === 'make') {
    const [operation] = await client.createService({parent, serviceId: id, service});
    await operation.promise();
    return;
  }
  const [found] = await client.getService({name});
  found.template.containers[0].env.push({name: 'NODE', value: '1'});
  found.template.revision = '';
  const [operation] = await client.updateService({service: found});
  await operation.promise();
})().catch(error => { console.error(error); process.exit(1); });
