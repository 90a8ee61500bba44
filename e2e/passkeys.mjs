// Somebody who never read a manual makes an account, adds a passkey, signs in with it on a second device, sees both and ends one; and
// uses it as the second step. Without scripts there are no passkeys, and the pages say so. All by keyboard.
import assert from 'node:assert/strict'
import { authenticator, somebody, tell, WAYS } from './person.mjs'

const PASSWORD = 'seven quiet otters juggle'
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const SAFARI = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1'
const [WITHOUT, DESK] = WAYS
const NIGHT = { ...WITHOUT, name: 'small-dark', scripts: true }

await tell(async (way) => {
  const email = `ada@${way.name}.example`
  const first = await somebody(way, FIREFOX)
  const telephone = await authenticator(first)
  await first.open('/account')
  await first.press('Make an account')
  await first.write('E-mail address', email)
  await first.write('Password', PASSWORD)
  await first.press('Make the account')
  await first.press('Sign in')
  await first.signIn(email, PASSWORD)
  await first.press('Add a passkey')
  await first.look('passkey')
  await telephone.unlocks(false)
  await first.push('Add a passkey')
  await first.page.getByText('No passkey was shown').waitFor()
  await telephone.unlocks(true)
  await first.press('Add a passkey')
  await first.sees('Your passkey was added', 'recovery codes')
  await first.look('passkey-added')
  assert.equal((await telephone.passkeys()).length, 1)
  await first.press('I have them')
  await first.sees('Firefox on Linux – this device', 'A second factor was added')
  // One of the steps was a mistake.
  const made = first.steps - 1

  // A second device to which the first one's passkeys come by themselves.
  const second = await somebody(way, SAFARI)
  const tablet = await authenticator(second)
  await second.open('/account')
  await second.look('passkey-sign-in')
  await tablet.take(await telephone.passkeys())
  await second.press('Sign in with a passkey')
  await second.sees('Safari on iPhone – this device', 'Firefox on Linux', 'Signed in with a passkey')
  await second.press(/^Sign out Firefox on Linux/)
  await second.sees('That device was signed out', 'Safari on iPhone – this device')
  assert.ok(made + second.steps <= 12, `${made} + ${second.steps} steps`)

  // It offers itself where the address would be typed.
  await second.press('Sign out here')
  await second.press('Sign out')
  await Promise.all([second.page.waitForURL(/\/account$/), second.open('/account').catch(() => {})])
  await second.sees('Safari on iPhone – this device')

  // After the password it is the second step.
  await telephone.present(false)
  await first.open('/account')
  await first.sees('to go on to your account')
  await first.signIn(email, PASSWORD)
  await first.sees('Second step', 'Use a passkey of yours')
  await first.look('passkey-second')
  await telephone.take(await tablet.passkeys())
  await telephone.present(true)
  await first.press('Use a passkey')
  await first.sees('Firefox on Linux – this device', 'Safari on iPhone')
  await first.leave()
  await second.leave()
}, [DESK, NIGHT])

await tell(async (way) => {
  const person = await somebody(way)
  await person.open('/account')
  assert.doesNotMatch(await person.text(), /passkey/)
  await person.press('Make an account')
  await person.write('E-mail address', 'noscript@way.example')
  await person.write('Password', PASSWORD)
  await person.press('Make the account')
  await person.press('Sign in')
  await person.signIn('noscript@way.example', PASSWORD)
  await person.press('Add a passkey')
  await person.sees('This needs a browser that knows passkeys, and its scripts')
  await person.look('passkey-without')
  await person.leave()
}, [WITHOUT])
