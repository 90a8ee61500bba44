// What requests use up: refresh chains, authorization codes, access tokens. They are made inside the process, as a person's
// visit to the pages would leave them in the store, and told on a port of their own, so that no measured request passes by
// anything of this.
//
//   GET /codes?count=1000       codes for an ID token, an access token for the resource server and a refresh token
//   GET /userinfo?count=64      access tokens that UserInfo answers; it takes none that is meant for a resource server
//   GET /service?count=64       access tokens for the resource server, opaque: JWTs cannot be introspected
import { createServer } from 'node:http';

export const RESOURCE = 'urn:countersign:bench:api';
export const REDIRECT_URI = 'http://localhost/callback';

// RFC 7636, appendix B: the challenge of the verifier that the generator sends.
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const NONCE = 'n-0S6_WzA2Mj';
const USERS = 8;

export class Mint {
  #provider;
  #client;
  /** The grant of each person: one for this client, however often it asks. */
  #grants = new Map();

  constructor(provider, client) {
    this.#provider = provider;
    this.#client = client;
  }

  async listen(port) {
    const server = createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url, 'http://localhost');
      const made = await this.make(pathname.slice(1), Number(searchParams.get('count')));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(made));
    });
    await new Promise((listening) => server.listen(port, '127.0.0.1', listening));
  }

  async make(what, count) {
    const made = [];
    for (let n = 0; n < count; n += 1) made.push(await this.#one(what, n));
    return made;
  }

  #one(what, n) {
    switch (what) {
      case 'chains': return this.#chain(`user-${n}`);
      case 'codes': return this.#code(`person-${n % USERS}`);
      case 'userinfo': return this.#token(`person-${n % USERS}`, { scope: 'openid email' });
      case 'service': return this.#token(`person-${n % USERS}`, { scope: 'read', aud: RESOURCE });
      default: throw new Error(`nothing is called ${what}`);
    }
  }

  /** What an exchange without ID token leaves behind: the first refresh token of a chain. */
  async #chain(accountId) {
    return new this.#provider.RefreshToken({
      ...await this.#granted(accountId),
      gty: 'authorization_code',
      resource: RESOURCE,
      rotations: 0,
      scope: 'offline_access read',
    }).save();
  }

  async #code(accountId) {
    return new this.#provider.AuthorizationCode({
      ...await this.#granted(accountId),
      codeChallenge: CHALLENGE,
      codeChallengeMethod: 'S256',
      nonce: NONCE,
      redirectUri: REDIRECT_URI,
      resource: RESOURCE,
      scope: 'openid offline_access read',
    }).save();
  }

  async #token(accountId, of) {
    const { authTime, ...granted } = await this.#granted(accountId);
    return new this.#provider.AccessToken({ ...granted, gty: 'authorization_code', ...of }).save();
  }

  async #granted(accountId) {
    if (!this.#grants.has(accountId)) {
      const grant = new this.#provider.Grant({ accountId, clientId: this.#client.clientId });
      grant.addOIDCScope('openid email offline_access');
      grant.addResourceScope(RESOURCE, 'read');
      this.#grants.set(accountId, await grant.save());
    }
    const authTime = Math.floor(Date.now() / 1000);
    return { accountId, authTime, client: this.#client, grantId: this.#grants.get(accountId) };
  }
}
