// What a person's way needs of the server: its administration, and the mails that it wrote into a folder.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const { E2E_DATA } = process.env

/** Asks over the socket in the data folder. */
export function admin(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const asked = request({ socketPath: join(E2E_DATA, 'admin.sock'), method, path, headers }, async (answer) => {
      const text = Buffer.concat(await answer.toArray()).toString()
      assert.ok(answer.statusCode < 300, `${method} ${path}: ${answer.statusCode} ${text}`)
      resolve(text === '' ? null : JSON.parse(text))
    })
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** The newest mail to this address that leads to this path, and its link. */
export async function mail(address, path) {
  const found = await newest(address, new RegExp(`https?://[^\\s"<>]*${path}\\?token=[\\w.-]+`))
  return { text: found.text, link: found.fitting }
}

/** The link of that mail. */
export async function link(address, path) {
  return (await mail(address, path)).link
}

/** The code of the newest mail to this address that has one. */
export async function code(address) {
  return (await newest(address, /\b[B-Z]{4}-[B-Z]{4}\b/)).fitting
}

/** The mails that somebody has read. */
const seen = new Set()

/** The newest mail to this address that has this, and what of it fits; it may be on its way yet, and each is read once. */
async function newest(address, pattern) {
  const folder = join(E2E_DATA, 'mails')
  for (let tries = 0; tries < 600; tries += 1) {
    const files = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []
    const mails = files.filter((file) => file.name.endsWith('.eml'))
    for (const { name } of mails.sort((a, b) => (a.name < b.name ? 1 : -1))) {
      const text = readFileSync(join(folder, name), 'utf8').replace(/=\r?\n/g, '').replace(/=3D/g, '=')
      const fitting = !seen.has(name) && text.includes(address) && text.match(pattern)
      if (fitting) {
        seen.add(name)
        return { text, fitting: fitting[0] }
      }
    }
    await sleep(100)
  }
  assert.fail(`no mail to ${address} has ${pattern}`)
}
