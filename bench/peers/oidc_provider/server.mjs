// npm oidc-provider 9 as it ships: in-memory adapter, one process, ES256, HTTP keep-alive, signed cookies, PKCE required.
// Reads its clients and accounts as JSON from the first argument; prints `ready` and the cookies of sessions that are logged in.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import Keygrip from "keygrip";
import Provider from "oidc-provider";

const { port, issuer, resource, jwk, clients, browserClient, sessions } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const cookieKeys = ["a key of the benchmark alone"];

const provider = new Provider(issuer, {
  clients,
  jwks: { keys: [jwk] },
  cookies: { keys: cookieKeys },
  pkce: { required: () => true },
  scopes: ["openid"],
  clientAuthMethods: ["client_secret_basic", "private_key_jwt"],
  responseTypes: ["code"],
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  ttl: { AccessToken: 300, ClientCredentials: 300, IdToken: 300, AuthorizationCode: 60, Session: 43200, Grant: 43200, Interaction: 1800 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "api",
        audience: resource,
        accessTokenTTL: 300,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});

// What somebody leaves behind who has logged in and consented: no page is part of the measurement.
async function sessionOf(number) {
  const accountId = `person-${number}`;
  const grant = new provider.Grant({ accountId, clientId: browserClient });
  grant.addOIDCScope("openid");
  grant.addResourceScope(resource, "api");
  const grantId = await grant.save(43200);
  const session = new provider.Session();
  session.loginAccount({ accountId, loginTs: Math.floor(Date.now() / 1000), amr: ["pwd"] });
  session.ensureClientContainer(browserClient);
  session.grantIdFor(browserClient, grantId);
  await session.save(43200);
  const cookie = `_session=${session.id}`;
  return `${cookie}; _session.sig=${new Keygrip(cookieKeys).sign(cookie)}`;
}

provider.on("server_error", (_ctx, error) => console.error(error));

const cookies = [];
for (let number = 0; number < sessions; number += 1) cookies.push(await sessionOf(number));

const server = createServer({ keepAlive: true }, provider.callback());
server.keepAliveTimeout = 75_000;
server.listen(port, "127.0.0.1", () => console.log(JSON.stringify({ ready: true, cookies })));
