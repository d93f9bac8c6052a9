// Signs in with Firebase's own SDK, connected to the local cloud as to an emulator; prints an ID token.
// node firebase_sign_in.mjs CLOUD PROJECT NODE_MODULES
import { createRequire } from 'node:module';
const [cloud, projectId, modules] = process.argv.slice(2);
const require = createRequire(modules + '/');
const { initializeApp } = require('firebase/app');
const { initializeAuth, connectAuthEmulator, inMemoryPersistence, signInAnonymously, updateProfile, deleteUser } = require('firebase/auth');

const auth = initializeAuth(initializeApp({ apiKey: 'pl-local', projectId }), { persistence: inMemoryPersistence });
connectAuthEmulator(auth, cloud, { disableWarnings: true });
const { user } = await signInAnonymously(auth);
if (!user.isAnonymous) throw new Error('not anonymous');
const first = (await user.getIdTokenResult()).claims;
await new Promise((resolve) => setTimeout(resolve, 1100));
const second = (await user.getIdTokenResult(true)).claims;
if (second.sub !== first.sub || second.iat <= first.iat || second.auth_time !== first.auth_time) throw new Error('not refreshed');
await updateProfile(user, { displayName: 'Ann' });
await user.reload();
if (user.displayName !== 'Ann') throw new Error('no name');
const other = await signInAnonymously(auth).then(() => auth.signOut()).then(() => signInAnonymously(auth));
if (other.user.uid === user.uid) throw new Error('the same user again');
const gone = other.user.uid;
await deleteUser(other.user);
console.log(await user.getIdToken(true));
console.error(`signed in as ${user.uid}; ${gone} is deleted`);
