// npm's oidc-provider as another provider that people sign in with, and as the certified one that the conformance tests are
// checked against: the operations of README.md, "Upstream" and "Certified".
import { generateKeyPairSync } from 'node:crypto'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

// Standard output is for answers; the library warns on it that its memory forgets.
console.info = console.warn = console.error

// Its clock, which a test sets forward.
const real = Date.now
let ahead = 0
Date.now = () => real() + ahead

const library = join(process.argv[2], 'node_modules/oidc-provider/lib/index.js')
const { default: Provider } = await import(pathToFileURL(library))

// Who is at the browser, and whether they agree to sign in.
let person

function key(kind, options, alg) {
  const { privateKey } = generateKeyPairSync(kind, options)
  return { ...privateKey.export({ format: 'jwk' }), kid: alg, use: 'sig' }
}

async function interact(ctx, provider) {
  const { prompt, params } = await provider.interactionDetails(ctx.req, ctx.res)
  if (person.refuses) return { error: 'access_denied', error_description: 'not today' }
  if (prompt.name === 'login') return { login: { accountId: person.sub } }
  const grant = new provider.Grant({ accountId: person.sub, clientId: params.client_id })
  grant.addOIDCScope('openid email')
  return { consent: { grantId: await grant.save() } }
}

// A key without `alg`, as some large providers publish theirs.
async function start({ port, id, secret, redirect, alg }) {
  const keys = [key('ec', { namedCurve: 'P-256' }, 'ES256'), key('rsa', { modulusLength: 2048 }, 'RS256')]
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: id, client_secret: secret, redirect_uris: [redirect], id_token_signed_response_alg: alg }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    features: { devInteractions: { enabled: false } },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ ...person.claims, sub }) }),
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    jwks: { keys },
    pkce: { required: () => true },
  })
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next()
    ctx.respond = false
    await provider.interactionFinished(ctx.req, ctx.res, await interact(ctx, provider))
  })
  await new Promise((resolve) => provider.listen(port, '127.0.0.1', resolve))
  return {}
}

async function at({ sub, claims = {}, refuses = false }) {
  person = { sub, claims, refuses }
  return {}
}

// A provider with one person, whom everything agrees with by itself. Clients register themselves.
const scopes = {
  profile: ['name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture', 'website',
    'gender', 'birthdate', 'zoneinfo', 'locale', 'updated_at'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
}

async function agree(ctx, provider) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(ctx.req, ctx.res)
  if (prompt.name === 'login') return { login: { accountId: 'ada' } }
  const { missingOIDCScope: missing, missingOIDCClaims: single } = prompt.details
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  if (missing) grant.addOIDCScope(missing.join(' '))
  if (single) grant.addOIDCClaims(single)
  return { consent: { grantId: await grant.save() } }
}

async function certified({ port, claims }) {
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    acrValues: ['0'],
    claims: { openid: ['sub'], ...scopes },
    features: {
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: true },
      devInteractions: { enabled: false },
      jwtUserinfo: { enabled: true },
      registration: { enabled: true },
      requestObjects: { request: true },
    },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ ...claims, sub }) }),
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.prompt.name}/${interaction.uid}` },
    jwks: { keys: [key('rsa', { modulusLength: 2048 }, 'RS256'), key('ec', { namedCurve: 'P-256' }, 'ES256')] },
    pkce: { required: () => false },
    scopes: ['openid', 'offline_access', ...Object.keys(scopes)],
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: (ctx, sub, client) => `${client.sectorIdentifier}-${sub}`,
  })
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next()
    ctx.respond = false
    await provider.interactionFinished(ctx.req, ctx.res, await agree(ctx, provider))
  })
  await new Promise((resolve) => provider.listen(port, '127.0.0.1', resolve))
  return {}
}

async function advance({ seconds }) {
  ahead += seconds * 1000
  return {}
}

const now = async () => ({ now: Math.floor(Date.now() / 1000) })

const operations = { start, at, certified, advance, now }
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  let answer
  try {
    answer = { ok: await operations[request.op](request) }
  } catch (error) {
    answer = { refused: `${error.name}: ${error.message}` }
  }
  console.log(JSON.stringify(answer))
}
// Listening keeps the process alive; without the tests there is nobody to serve.
process.exit()
