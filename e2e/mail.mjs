// The ways that lead over a mail: confirm an address, forget a password and set a new one, which ends everything else.
import { somebody, tell } from './person.mjs'
import { link } from './server.mjs'

const [OLD, NEW] = ['seven quiet otters juggle', 'nine loud badgers whistle']

await tell(async (way) => {
  const email = `bob@${way.name}.example`
  const person = await somebody(way)
  await person.open('/ui/register')
  await person.write('E-mail address', email)
  await person.write('Password', OLD)
  await person.press('Make the account')
  await person.sees('A mail with a link is on its way to you')
  await person.look('registered-mail')
  await person.open(await link(email, '/ui/email/verify'))
  await person.sees(email)
  await person.look('verify')
  await person.press(/^Yes|^Confirm/)
  await person.sees('Your address is confirmed')
  await person.open('/account')
  await person.signIn(email, OLD)
  await person.sees('address confirmed')

  const other = `bobby@${way.name}.example`
  await person.press('Your e-mail address')
  await person.look('email')
  await person.write('New e-mail address', other)
  await person.write('Password', OLD)
  await person.press('Change the address')
  await person.sees('Look into your new mail')
  await person.open(await link(other, '/ui/email/change'))
  await person.look('change')
  await person.write('Password', OLD)
  await person.press('Confirm the address')
  await person.sees('Your address was changed')
  await person.open('/account')
  await person.sees(other, 'address confirmed')

  const elsewhere = await somebody(way)
  await elsewhere.open('/account')
  await elsewhere.press('Forgot your password?')
  await elsewhere.look('forgot')
  await elsewhere.write('E-mail address', other)
  await elsewhere.press('Send the link')
  await elsewhere.sees('Look into your mail')
  await elsewhere.look('forgot-sent')
  await elsewhere.open(await link(other, '/ui/password/reset'))
  await elsewhere.look('reset')
  await elsewhere.write('New password', 'short')
  await elsewhere.press('Set the password')
  await elsewhere.look('reset-problem')
  await elsewhere.write('New password', NEW)
  await elsewhere.press('Set the password')
  await elsewhere.sees('Every device and every application was signed out')
  await elsewhere.look('reset-done')

  await person.open('/account')
  await person.sees('to go on to your account')
  await person.signIn(other, NEW)
  await person.sees('New password set with a link from a mail')
  await person.leave()
  await elsewhere.leave()
})
