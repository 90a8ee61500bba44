// A second factor is added on the account page, asked for, replaced by a recovery code, and taken away; and a code by mail in place
// of the password. The telephone is this file (RFC 6238).
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { somebody, tell } from './person.mjs'
import { code, link } from './server.mjs'

const PASSWORD = 'seven quiet otters juggle'
const STEP = 30_000

/** The bytes of a key as apps read it. */
function base32(text) {
  const bits = [...text].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)))
}

/** What an app with this key shows at its next step that was not used yet: each code is good once. */
async function shows(telephone) {
  while (Math.floor(Date.now() / STEP) <= telephone.used) await sleep(500)
  telephone.used = Math.floor(Date.now() / STEP)
  const counter = Buffer.alloc(8)
  counter.writeBigInt64BE(BigInt(telephone.used))
  const mac = createHmac('sha1', telephone.key).update(counter).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

async function signOut(person) {
  await person.press('Sign out here')
  await person.press('Sign out')
  await person.open('/account')
}

await tell(async (way) => {
  const email = `eve@${way.name}.example`
  const person = await somebody(way)
  await person.open('/ui/register')
  await person.write('E-mail address', email)
  await person.write('Password', PASSWORD)
  await person.press('Make the account')
  await person.open(await link(email, '/ui/email/verify'))
  await person.press(/^Yes|^Confirm/)
  await person.open('/account')
  await person.signIn(email, PASSWORD)
  await person.press('Change how you sign in')
  await person.sees('whoever learns your password has your account')
  await person.look('security')
  await person.press('Add an authenticator app')
  await person.look('authenticator')
  const telephone = { key: base32((await person.page.locator('code.key').textContent()).trim()), used: 0 }
  await person.write('The six digits that the app shows now', '000000')
  await person.press('Add the app')
  await person.sees('The code is wrong')
  await person.write('The six digits that the app shows now', await shows(telephone))
  await person.press('Add the app')
  await person.look('recovery-codes')
  const codes = await person.page.locator('.codes code').allTextContents()
  assert.equal(codes.length, 10)
  await person.press('I have them')
  await signOut(person)

  await person.signIn(email, PASSWORD)
  await person.look('mfa')
  await person.write('Code', await shows(telephone))
  await person.press('Go on')
  await person.sees('Your account', 'Authenticator app')
  await signOut(person)

  await person.write('E-mail address', email)
  await person.press('Send me a code by mail instead')
  await person.look('mailed')
  await person.write('Code', 'BCDF-GHJK')
  await person.press('Go on')
  await person.sees('The code is wrong or over')
  await person.write('Code', await code(email))
  await person.press('Go on')
  await person.reach('The app is not at hand', ['summary'])
  await person.page.keyboard.press('Enter')
  await person.write('Recovery code', codes[0])
  await person.press('Use it')
  await person.sees('Your account')
  await person.press('Change how you sign in')
  await person.sees('9 left')
  await person.reach('Remove Authenticator app', ['summary'])
  await person.page.keyboard.press('Enter')
  await person.look('security-remove')
  await person.press('Yes, remove it')
  await person.sees('It was removed')
  await person.press('Back to your account')
  await signOut(person)

  await person.write('E-mail address', email)
  await person.press('Send me a code by mail instead')
  await person.open(await link(email, '/ui/signin/mail'))
  await person.look('mail-link')
  await person.press('Sign in')
  await person.sees('Your account', 'none yet')
  await person.leave()
})
