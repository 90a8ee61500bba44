// The protocol of README.md. The folder with node_modules is the one argument.
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { webcrypto } from 'node:crypto'

// Node.js 18, which Debian 12 has, keeps these behind a flag.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

const jose = await import(pathToFileURL(join(process.argv[2], 'node_modules/jose/dist/webapi/index.js')))
const unb64 = (text) => new Uint8Array(Buffer.from(text, 'base64url'))
const b64 = (bytes) => Buffer.from(bytes).toString('base64url')

async function load({ jwk, pem, password }, alg) {
  if (password) return new TextEncoder().encode(password)
  if (jwk) return jose.importJWK(jwk, alg)
  return pem.includes('PRIVATE') ? jose.importPKCS8(pem, alg) : jose.importSPKI(pem, alg)
}

async function generate({ kty, crv, alg, bits }) {
  if (kty === 'oct') {
    return { private: { jwk: { kty, k: b64(crypto.getRandomValues(new Uint8Array(bits / 8))) } } }
  }
  // Node.js has no RSA-OAEP key pair for another use; the JWK that comes out names no algorithm.
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { crv, modulusLength: bits, extractable: true })
  const [own, shown] = await Promise.all([jose.exportJWK(privateKey), jose.exportJWK(publicKey)])
  return {
    private: { jwk: own, pem: await jose.exportPKCS8(privateKey) },
    public: { jwk: shown, pem: await jose.exportSPKI(publicKey) },
    thumbprint: await jose.calculateJwkThumbprint(shown),
  }
}

async function sign({ form, payload, signers }) {
  const bytes = unb64(payload)
  const header = ({ alg, header = {} }) => ({ alg, ...header })
  const [first] = signers
  if (form === 'compact') {
    return new jose.CompactSign(bytes).setProtectedHeader(header(first)).sign(await load(first.key, first.alg))
  }
  if (form === 'flattened') {
    const message = new jose.FlattenedSign(bytes).setProtectedHeader(header(first))
    const signed = await message.sign(await load(first.key, first.alg))
    // An unencoded payload is left out: whoever sends the message puts it in.
    if (first.header?.b64 === false) signed.payload = new TextDecoder().decode(bytes)
    return JSON.stringify(signed)
  }
  const message = new jose.GeneralSign(bytes)
  for (const signer of signers) {
    message.addSignature(await load(signer.key, signer.alg)).setProtectedHeader(header(signer))
  }
  return JSON.stringify(await message.sign())
}

async function verify({ form, message, alg, key, payload }) {
  const options = { algorithms: [alg] }
  const loaded = await load(key, alg)
  if (form === 'compact' && payload === undefined) {
    return b64((await jose.compactVerify(message, loaded, options)).payload)
  }
  let parsed
  if (form === 'compact') {
    const [header, , signature] = message.split('.')
    parsed = { protected: header, signature }
  } else {
    parsed = JSON.parse(message)
  }
  if (payload !== undefined) {
    // Encoded or not is for the header to say.
    const { b64: encoded } = jose.decodeProtectedHeader(parsed)
    parsed.payload = encoded === false ? unb64(payload) : payload
  }
  const check = form === 'general' ? jose.generalVerify : jose.flattenedVerify
  return b64((await check(parsed, loaded, options)).payload)
}

async function encrypt({ form, payload, enc, recipients, header = {}, aad }) {
  const bytes = unb64(payload)
  const [first] = recipients
  const key = await load(first.key, first.alg)
  if (form === 'compact') {
    return new jose.CompactEncrypt(bytes).setProtectedHeader({ alg: first.alg, enc, ...header }).encrypt(key)
  }
  const message = form === 'general' ? new jose.GeneralEncrypt(bytes) : new jose.FlattenedEncrypt(bytes)
  if (aad !== undefined) message.setAdditionalAuthenticatedData(unb64(aad))
  if (form === 'flattened') {
    return JSON.stringify(await message.setProtectedHeader({ alg: first.alg, enc, ...header }).encrypt(key))
  }
  message.setProtectedHeader({ enc, ...header })
  for (const recipient of recipients) {
    message.addRecipient(await load(recipient.key, recipient.alg)).setUnprotectedHeader({ alg: recipient.alg })
  }
  return JSON.stringify(await message.encrypt())
}

async function decrypt({ form, message, alg, enc, key }) {
  const options = { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: [enc] }
  const loaded = await load(key, alg)
  if (form === 'compact') return b64((await jose.compactDecrypt(message, loaded, options)).plaintext)
  const open = form === 'general' ? jose.generalDecrypt : jose.flattenedDecrypt
  return b64((await open(JSON.parse(message), loaded, options)).plaintext)
}

async function claims({ token, alg, key, issuer, audience }) {
  const options = { algorithms: [alg], issuer, audience, requiredClaims: ['exp'] }
  return (await jose.jwtVerify(token, await load(key, alg), options)).payload
}

const operations = { generate, sign, verify, encrypt, decrypt, claims }
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
