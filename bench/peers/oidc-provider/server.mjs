// oidc-provider, configured to do the same work per request as Countersign does in the comparison: an ES256 key, JWT
// access tokens for one resource server, a public client whose refresh tokens rotate at every use, a confidential
// client for client_credentials, no ID token (scope without `openid`), everything in memory.
//
//   node server.mjs --port 4000 --chains 128
//
// Prints one line of JSON when it listens: {"version", "refresh_tokens": […]}; each is the start of one chain.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Provider from 'oidc-provider';
import { memoryAdapter } from './adapter.mjs';

const RESOURCE = 'urn:countersign:bench:api';
const SCOPE = 'offline_access read';
const { values } = parseArgs({
  options: { port: { type: 'string', default: '4000' }, chains: { type: 'string', default: '128' } },
});

function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' };
}

function configuration() {
  return {
    ...(process.env.ADAPTER === 'shipped' ? {} : { adapter: memoryAdapter() }),
    clients: [
      {
        client_id: 'first-party',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: ['http://localhost/callback'],
        application_type: 'native',
      },
      {
        client_id: 'service',
        client_secret: 'bench-secret-of-the-service-0123456789',
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'read',
          audience: RESOURCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    jwks: { keys: [signingKey()] },
    rotateRefreshToken: true,
    scopes: ['offline_access', 'read'],
    ttl: { AccessToken: 600, ClientCredentials: 600, Grant: 14 * 86400, RefreshToken: 14 * 86400 },
  };
}

/** What a code exchange leaves behind: a grant and the first refresh token of its chain. */
async function startChain(provider, client, accountId) {
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope('offline_access');
  grant.addResourceScope(RESOURCE, 'read');
  const token = new provider.RefreshToken({
    accountId,
    authTime: Math.floor(Date.now() / 1000),
    client,
    grantId: await grant.save(),
    gty: 'authorization_code',
    resource: RESOURCE,
    rotations: 0,
    scope: SCOPE,
  });
  return token.save();
}

const provider = new Provider(`http://127.0.0.1:${values.port}`, configuration());
provider.on('server_error', (ctx, error) => console.error(error));
provider.listen(Number(values.port), '127.0.0.1', async () => {
  const client = await provider.Client.find('first-party');
  const tokens = [];
  for (let chain = 0; chain < Number(values.chains); chain += 1) {
    tokens.push(await startChain(provider, client, `user-${chain}`));
  }
  const manifest = new URL('./node_modules/oidc-provider/package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  console.log(JSON.stringify({ version, refresh_tokens: tokens }));
});
