// Somebody makes an account, signs in on a second device, sees both and ends the first: without a manual, in few steps.
import assert from 'node:assert/strict'
import { somebody, tell } from './person.mjs'

const PASSWORD = 'seven quiet otters juggle'
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const SAFARI = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1'

await tell(async (way) => {
  const email = `ada@${way.name}.example`
  const first = await somebody(way, FIREFOX)
  await first.open('/account')
  await first.look('sign-in')
  await first.press('Make an account')
  await first.look('register')
  await first.write('E-mail address', email)
  await first.write('Password', 'too short')
  await first.press('Make the account')
  await first.sees('at least 15')
  await first.look('register-problem')
  await first.write('Password', PASSWORD)
  await first.press('Make the account')
  await first.look('registered')
  await first.press('Sign in')
  await first.signIn(email, 'wrong horse battery staple')
  await first.look('sign-in-problem')
  await first.signIn(email, PASSWORD)
  await first.sees('Your account', email, 'Firefox on Linux – this device')

  const second = await somebody(way, SAFARI)
  await second.open('/account')
  await second.signIn(email, PASSWORD)
  await second.sees('Safari on iPhone – this device', 'Firefox on Linux')
  await second.look('account')
  await second.press(/^Sign out Firefox on Linux/)
  await second.sees('That device was signed out', 'Safari on iPhone – this device')
  assert.doesNotMatch(await second.text(), /Firefox on Linux –|Sign out everywhere else/)
  await second.look('account-signed-out')

  await first.open('/account')
  await first.sees('to go on to your account')
  // Two of the steps were mistakes.
  assert.ok(first.steps + second.steps - 2 <= 12, `${first.steps} + ${second.steps} steps`)

  await second.press('Delete my account')
  await second.look('delete')
  await second.write('Password', PASSWORD)
  await second.press('Delete my account')
  await second.sees('Your account will be deleted')
  await second.look('delete-done')
  await second.open('/account')
  await second.signIn(email, PASSWORD)
  await second.press('Keep my account')
  await second.sees('Your account is kept.')
  await second.press('Sign out here')
  await second.look('sign-out')
  await second.press('Sign out')
  await second.look('signed-out')
  await second.open('/account')
  await second.sees('to go on to your account')
  await first.leave()
  await second.leave()
})
