// oidc-provider, configured to do the same work per request as Countersign does in the comparison: an ES256 key, JWT
// access tokens for one resource server, a public client whose refresh tokens rotate at every use, a confidential
// client for client_credentials and introspection, an ID token where `openid` is in the scope, everything in memory.
//
//   node server.mjs --port 4000 --mint-port 4001 --chains 128
//
// Prints one line of JSON when it listens: {"version", "refresh_tokens": […]}; each is the start of one chain. What else is
// needed to ask for, mint.mjs makes on the other port.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Provider from 'oidc-provider';
import { memoryAdapter } from './adapter.mjs';
import { Mint, REDIRECT_URI, RESOURCE } from './mint.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4000' },
    'mint-port': { type: 'string', default: '4001' },
    chains: { type: 'string', default: '128' },
  },
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
        redirect_uris: [REDIRECT_URI],
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
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
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
    findAccount: (ctx, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: `${sub}@example.com`, email_verified: false }),
    }),
    jwks: { keys: [signingKey()] },
    rotateRefreshToken: true,
    routes: { userinfo: '/userinfo', introspection: '/introspect' },
    scopes: ['openid', 'email', 'offline_access', 'read'],
    ttl: { AccessToken: 600, ClientCredentials: 600, Grant: 14 * 86400, RefreshToken: 14 * 86400 },
  };
}

const provider = new Provider(`http://127.0.0.1:${values.port}`, configuration());
provider.on('server_error', (ctx, error) => console.error(error));
provider.listen(Number(values.port), '127.0.0.1', async () => {
  const mint = new Mint(provider, await provider.Client.find('first-party'));
  await mint.listen(Number(values['mint-port']));
  const tokens = await mint.make('chains', Number(values.chains));
  const manifest = new URL('./node_modules/oidc-provider/package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  console.log(JSON.stringify({ version, refresh_tokens: tokens }));
});
