// Somebody with a German browser makes an account, and wants Spanish and dark from then on, in mails, too; others choose at the foot of
// a page. Every page that a stranger can see is looked at in every language.
import assert from 'node:assert/strict'
import { somebody, tell } from './person.mjs'
import { mail } from './server.mjs'

const PASSWORD = 'seven quiet otters juggle'
const DARK = 'rgb(20, 23, 28)'

/** The pages before anybody has signed in. */
const PAGES = {
  'sign-in': '/account',
  register: '/ui/register',
  forgot: '/ui/password/forgot',
  device: '/ui/device',
  'error-link': '/ui/email/verify?token=nonsense',
  'error-technical': '/authorize?client_id=nobody',
}

const language = (person) => person.page.locator('html').getAttribute('lang')

await tell(async (way) => {
  const email = `grete@${way.name}.example`
  const grete = await somebody({ ...way, locale: 'de-AT' })
  await grete.open('/account')
  await grete.sees('weiter zu Ihrem Konto')
  await grete.press('Konto erstellen')
  await grete.write('E-Mail-Adresse', email)
  await grete.write('Passwort', 'zu kurz')
  await grete.press('Konto erstellen')
  await grete.sees('mindestens 15 Zeichen; es hat 7')
  await grete.look('de-register-problem')
  await grete.write('Passwort', PASSWORD)
  await grete.press('Konto erstellen')
  await grete.press('Anmelden')
  await grete.write('E-Mail-Adresse', email)
  await grete.write('Passwort', 'wrong horse battery staple')
  await grete.press('Anmelden')
  await grete.sees('E-Mail-Adresse oder Passwort ist falsch.')
  await grete.look('de-sign-in-problem')
  await grete.write('Passwort', PASSWORD)
  await grete.press('Anmelden')
  await grete.sees('Ihr Konto', 'dieses Gerät', 'gerade eben', 'Jemand hat versucht')
  await grete.look('de-account')

  await grete.choose('Sprache', 'es')
  await grete.choose('Aussehen', 'dark')
  await grete.press('Speichern')
  await grete.sees('El idioma y el aspecto se han guardado', 'Su cuenta', 'este dispositivo')
  assert.equal(await language(grete), 'es')
  assert.equal(await grete.page.evaluate(() => getComputedStyle(document.body).backgroundColor), DARK)
  await grete.look('es-account')
  await grete.press('Eliminar mi cuenta')
  await grete.look('es-delete')

  // Her old computer asks, in German; the mail is as she wants it.
  const old = await somebody({ ...way, locale: 'de-AT' })
  await old.open('/ui/password/forgot')
  await old.write('E-Mail-Adresse', email)
  await old.press('Link senden')
  await old.sees('Sehen Sie in Ihre E-Mails')
  const { text, link } = await mail(email, '/ui/password/reset')
  assert.match(text, /<html lang="es">/)
  await old.open(link)
  await old.look('de-reset')
  await old.press('简体中文')
  await old.look('zh-reset')
  await old.write('新密码', PASSWORD + ' loudly')
  await old.press('设置密码')
  await old.sees('您的密码已设置')
  await old.open('/account')
  await old.write('电子邮箱', email)
  await old.write('密码', PASSWORD + ' loudly')
  await old.press('登录')
  await old.sees('Su cuenta')
  await old.choose('Idioma', 'zh-Hans')
  await old.choose('Aspecto', 'light')
  await old.press('Guardar')
  await old.sees('语言和外观已保存')
  assert.notEqual(await old.page.evaluate(() => getComputedStyle(document.body).backgroundColor), DARK)
  await old.look('zh-account')
  await old.press('在此退出登录')
  await old.look('zh-sign-out')
  await old.leave()
  await grete.leave()

  for (const [locale, tag] of [['de', 'de'], ['es-MX', 'es'], ['zh-CN', 'zh-Hans']]) {
    const stranger = await somebody({ ...way, locale })
    for (const [name, path] of Object.entries(PAGES)) {
      await stranger.open(path)
      assert.equal(await language(stranger), tag)
      await stranger.look(`${locale}-${name}`)
    }
    await stranger.open('/account')
    const address = stranger.page.url()
    await stranger.press('English')
    assert.equal(stranger.page.url(), address)
    await stranger.sees('to go on to your account')
    await stranger.leave()
  }
})
