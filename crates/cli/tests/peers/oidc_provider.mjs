// npm's oidc-provider as another provider that people sign in with: the operations of README.md, "Upstream".
import { generateKeyPairSync } from 'node:crypto'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

// Standard output is for answers; the library warns on it that its memory forgets.
console.info = console.warn = console.error

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

const operations = { start, at }
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
