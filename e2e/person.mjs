// A person at a browser of their own: finds everything by the keyboard, and complains about every page that keeps somebody out.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const { E2E_MODULES, E2E_BROWSER, E2E_OUT, E2E_ISSUER } = process.env
const require = createRequire(join(E2E_MODULES, 'node_modules', 'x.js'))
const { chromium } = require('playwright-core')
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

export const issuer = E2E_ISSUER
/** The most bytes of a page and of what it loads, each. */
const MAX_BYTES = 30 * 1024

/** How people come: on a telephone at night without scripts, at a desk by day with them. */
export const WAYS = [
  { name: 'small-dark-noscript', scripts: false, viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
  { name: 'desk-light', scripts: true, viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
]

let browser
/** Runs a story in a browser, once for each way, and ends with what went wrong. */
export async function tell(story, ways = WAYS) {
  browser = await chromium.launch({ executablePath: E2E_BROWSER, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  try {
    for (const way of ways) {
      await story(way)
      console.log(`${way.name}: ok`)
    }
  } finally {
    await browser.close()
  }
}

/** Somebody new: nothing of theirs is in the browser yet. */
export async function somebody(way, userAgent) {
  const { viewport, colorScheme, scripts, locale = 'en-GB' } = way
  const context = await browser.newContext({ viewport, colorScheme, locale, javaScriptEnabled: scripts, userAgent, reducedMotion: 'reduce' })
  return new Person(way, context, await context.newPage())
}

/** What axe-core says of a page. It needs scripts, which the page itself does without: so it looks at a copy. */
async function audit({ viewport, colorScheme }, html) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' })
  const copy = await context.newPage()
  await copy.route('**/copy', (route) => route.fulfill({ body: html, contentType: 'text/html; charset=utf-8' }))
  await copy.goto(new URL('/copy', issuer).href)
  await copy.evaluate(axe)
  const found = await copy.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  await context.close()
  return found
}

/** An authenticator in somebody's browser, which unlocks itself as long as it answers at all. */
export async function authenticator(person) {
  const session = await person.context.newCDPSession(person.page)
  await session.send('WebAuthn.enable')
  const options = {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true, defaultBackupEligibility: true, defaultBackupState: true,
  }
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options })
  return {
    /** Whether its person can unlock it. */
    async unlocks(yes) {
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: yes })
    },
    /** Whether its person touches it as soon as it asks. */
    async present(yes) {
      await session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: yes })
    },
    async passkeys() {
      return (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials
    },
    /** Those of another device come here, in place of what was here; with how often they were used. */
    async take(passkeys) {
      await session.send('WebAuthn.clearCredentials', { authenticatorId })
      for (const credential of passkeys) await session.send('WebAuthn.addCredential', { authenticatorId, credential })
    },
  }
}

class Person {
  /** Clicks and Enters so far. */
  steps = 0
  problems = []

  constructor(way, context, page) {
    Object.assign(this, { way, context, page })
    page.setDefaultTimeout(30_000)
    page.on('pageerror', (error) => this.problems.push(String(error)))
    page.on('console', (message) => {
      if (/content security policy|trusted ?type/i.test(message.text())) this.problems.push(message.text())
    })
    page.on('response', async (response) => {
      const bytes = (await response.body().catch(() => '')).length
      if (bytes > MAX_BYTES) this.problems.push(`${response.url()}: ${bytes} bytes`)
    })
  }

  async open(path) {
    await this.page.goto(new URL(path, issuer).href)
  }

  /** Goes on with Tab until the element with this name has the focus, as a screen reader would call it. */
  async reach(name, kinds) {
    const seen = []
    for (let tries = 0; tries < 80; tries += 1) {
      const focused = await this.page.evaluate(() => {
        const at = document.activeElement
        const name = at.getAttribute('aria-label') ?? at.labels?.[0]?.innerText ?? at.innerText ?? ''
        return { kind: at.localName, name: name.trim() }
      })
      const fits = typeof name === 'string' ? focused.name === name : name.test(focused.name)
      if (fits && kinds.includes(focused.kind)) return
      seen.push(`${focused.kind} ${focused.name.slice(0, 40)}`)
      await this.page.keyboard.press('Tab')
    }
    assert.fail(`nothing to reach is called ${name}: ${[...new Set(seen)].join(' | ')}`)
  }

  async write(label, text) {
    await this.reach(label, ['input'])
    await this.page.keyboard.press('ControlOrMeta+A')
    await this.page.keyboard.type(text)
  }

  /** Chooses one of the values that a list offers. */
  async choose(label, value) {
    await this.reach(label, ['select'])
    await this.page.locator('select:focus').selectOption(value)
  }

  /** Presses a button or follows a link, and waits for the page behind it. */
  async press(name) {
    await this.reach(name, ['button', 'a'])
    this.steps += 1
    await Promise.all([this.page.waitForEvent('load'), this.page.keyboard.press('Enter')])
  }

  /** Presses a button whose page stays. */
  async push(name) {
    await this.reach(name, ['button'])
    this.steps += 1
    await this.page.keyboard.press('Enter')
  }

  async signIn(email, password) {
    await this.write('E-mail address', email)
    await this.write('Password', password)
    await this.press('Sign in')
  }

  async text() {
    return this.page.locator('main').innerText()
  }

  async sees(...words) {
    const text = await this.text()
    for (const word of words) assert.match(text, word instanceof RegExp ? word : new RegExp(word.replace(/[.?+()]/g, '\\$&')), this.page.url())
  }

  /** Looks at the page as a whole: nobody is kept out of it, nothing is cut off; a picture is kept. */
  async look(name) {
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`)
    const found = await audit(this.way, await this.page.content())
    const told = found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' ')}`)
    assert.deepEqual(told, [], name)
    await this.page.screenshot({ path: join(E2E_OUT, `${name}-${this.way.name}.png`), fullPage: true })
  }

  async leave() {
    await this.context.close()
    assert.deepEqual(this.problems, [])
  }
}
