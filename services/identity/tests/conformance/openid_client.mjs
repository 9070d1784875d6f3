// An application as somebody writes it with openid-client 6, from its documentation alone. The test beside it plays the
// person with a browser: each line written is a request to that person, each line read is what came of it.
import { createInterface } from 'node:readline'
import * as client from 'openid-client'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const ask = async (request) => {
  process.stdout.write(JSON.stringify(request) + '\n')
  return read()
}
const must = (holds, what) => {
  if (!holds) throw new Error(`not so: ${what}`)
}

const told = await read()

async function authentication() {
  if (told.secret) return told.method === 'post' ? client.ClientSecretPost(told.secret) : client.ClientSecretBasic(told.secret)
  if (!told.key) return client.None()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const key = await crypto.subtle.importKey('jwk', told.key, algorithm, false, ['sign'])
  return client.PrivateKeyJwt({ key, kid: told.key.kid })
}

const config = await client.discovery(new URL(told.issuer), told.client_id, undefined, await authentication(), {
  execute: [client.allowInsecureRequests],
})
const server = config.serverMetadata()

// With a handle every call below carries a proof of the key, and the tokens are bound to it (RFC 9449).
const proof = told.bound ? { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) } : {}
const tokenType = told.bound ? 'dpop' : 'bearer'

async function codeFlow() {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const expectedNonce = client.randomNonce()
  const parameters = {
    redirect_uri: told.redirect_uri,
    scope: 'openid profile',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  }
  const url = told.pushed
    ? await client.buildAuthorizationUrlWithPAR(config, parameters, proof)
    : client.buildAuthorizationUrl(config, parameters)
  must(url.searchParams.has('request_uri') === told.pushed, 'the request goes the way it was meant to')
  const { address } = await ask({ ask: 'log in', url: url.href })
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  return client.authorizationCodeGrant(config, new URL(address), checks, undefined, proof)
}

async function deviceFlow() {
  const device = await client.initiateDeviceAuthorization(config, { scope: 'openid profile' })
  must(device.verification_uri_complete.includes(device.user_code), 'the address for the QR code holds the code')
  await ask({ ask: 'let in', url: device.verification_uri_complete })
  // The person was quick: there is no need to wait for the whole interval before the first poll.
  return client.pollDeviceAuthorizationGrant(config, { ...device, interval: 1 }, undefined, proof)
}

async function refused(call) {
  try {
    await call()
  } catch (error) {
    return error.error ?? error.code
  }
  return 'nothing'
}

async function lifeOf(tokens) {
  const claims = tokens.claims()
  must(tokens.token_type === tokenType, 'tokens are bound to the key, or not')
  const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub, proof)
  must(user.name === told.name, 'userinfo tells the name')
  if (told.bound) {
    const stolen = await refused(() => client.fetchUserInfo(config, tokens.access_token, claims.sub))
    must(stolen !== 'nothing', 'a bound token is worth nothing without its key')
  }
  const next = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, proof)
  const renewed = next.refresh_token ?? tokens.refresh_token
  must((renewed === tokens.refresh_token) === told.stays, 'a refresh gives another refresh token, unless it stays')
  must(next.claims().sub === claims.sub, 'a refresh is of the same person')
  if (told.secret || told.key) {
    const known = await client.tokenIntrospection(config, next.access_token)
    must(known.active && known.client_id === told.client_id && known.iss === told.issuer, 'an own token is active')
  }
  await client.tokenRevocation(config, renewed)
  const error = await refused(() => client.refreshTokenGrant(config, renewed, undefined, proof))
  must(error === 'invalid_grant', `a revoked token is refused, got ${error}`)
  return claims
}

async function logout(idToken) {
  const state = client.randomState()
  const url = client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: told.after_logout,
    id_token_hint: idToken,
    state,
  })
  const { address } = await ask({ ask: 'log out', url: url.href })
  must(address === `${told.after_logout}?state=${state}`, 'a logout comes back')
}

must(server.issuer === told.issuer, 'the issuer')
const done = { flows: [] }
for (const flow of told.flows) {
  if (flow === 'code') {
    const tokens = await codeFlow()
    done.subject = (await lifeOf(tokens)).sub
    await logout(tokens.id_token)
  } else if (flow === 'device') {
    await lifeOf(await deviceFlow())
  } else {
    const tokens = await client.clientCredentialsGrant(config, undefined, proof)
    must(tokens.token_type === tokenType && tokens.expires_in === 300, 'a token of the client itself')
  }
  done.flows.push(flow)
}
process.stdout.write(JSON.stringify({ done }) + '\n')
process.exit(0)
