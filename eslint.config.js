// Type-aware lint of everything that people write here. Rules are off only with a reason beside them.
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

// src/ is pure: what is banned here is what would let the outside world in. Each list names its one exception below.
const outside = [
  { regex: '^node:|^(?:fs|path|crypto|https?|net|tls|os|child_process|process|timers|util|stream|buffer|events)(?:/|$)', message: 'src/ is pure: take it from the caller.' },
  { regex: '^etcd3$', allowTypeImports: true, message: 'etcd3 is the caller\'s: take its client by structure.' },
  { regex: '^@grpc/', message: 'The RPCs go through the caller\'s etcd3 client.' },
]
const asn1 = { regex: '^(?:pkijs|asn1js)$', message: 'Only src/pki/asn1/foreign/ knows pkijs and asn1js.' }
const peculiar = { regex: '^@peculiar/', message: 'Only src/webcrypto.ts knows @peculiar/webcrypto.' }
const ambient = ['process', 'console', 'globalThis', 'global', 'window', 'self', 'require', 'Buffer', 'fetch', 'crypto', 'performance', 'navigator', 'localStorage', 'structuredClone', 'queueMicrotask']
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate']
const impure = [
  { selector: 'MemberExpression[object.name="Math"][property.name="random"]', message: 'Randomness comes from the passed WebCrypto.' },
  { selector: 'ImportExpression:not([source.type="Literal"])', message: 'An import that no tool can see.' },
]
const present = [
  { selector: 'MemberExpression[object.name="Date"][property.name="now"]', message: 'Time is a Date that the caller passes.' },
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Time is a Date that the caller passes.' },
  { selector: 'CallExpression[callee.name="Date"]', message: 'Time is a Date that the caller passes.' },
]
const style = [
  { selector: 'ExportDefaultDeclaration', message: 'Exports are named.' },
  { selector: 'TSEnumDeclaration', message: 'A union of literals says the same as data.' },
]

const imports = (...patterns) => ['error', { patterns }]
const globals = (...names) => ['error', ...names.map((name) => ({ name, message: 'src/ is pure: take it from the caller.' }))]
const syntax = (...rules) => ['error', ...rules]

export default defineConfig(
  globalIgnores(['dist/', 'build/', 'coverage/', 'docs/api/', '.cache/', 'test/go/', 'test/types/fixtures/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,mts,js,mjs}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      // With verbatimModuleSyntax, `import { type A }` loads the module all the same.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // Numbers in messages are meant: `line ${3}` cannot be read in two ways.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Names are Unicode text, counted and cut in code points.
      '@typescript-eslint/no-misused-spread': ['error', { allow: [{ from: 'lib', name: 'string' }, 'string'] }],
      // `Record<never, never>` is "nothing was given" for a type parameter; `{}` would take anything.
      '@typescript-eslint/no-generated-empty-object-type': 'off',
      // `() => void report(…)` says that the value is not wanted; refusing it would cost braces everywhere.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidOperator: true }],
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // Literal types of names are inferred by type parameters that stand only once.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // tsc reports these with noUnusedLocals; here only so that a leading underscore means the same.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-globals': globals(...ambient, ...timers),
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-restricted-imports': imports(...outside, asn1, peculiar),
      'no-restricted-syntax': syntax(...impure, ...present, ...style),
    },
  },
  {
    // The one place that knows the present and timers.
    files: ['src/auth/clock.ts'],
    rules: { 'no-restricted-globals': globals(...ambient), 'no-restricted-syntax': syntax(...impure, ...style) },
  },
  {
    // The one place that knows pkijs and asn1js; it loads them when they are used.
    files: ['src/pki/asn1/foreign/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': imports(...outside, peculiar) },
  },
  {
    // The one place that knows @peculiar/webcrypto.
    files: ['src/webcrypto.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': imports(...outside, asn1) },
  },
  {
    // Declares names of the platform that are not ours to shape.
    files: ['**/*.d.ts'],
    rules: { '@typescript-eslint/no-empty-object-type': 'off', '@typescript-eslint/no-extraneous-class': 'off' },
  },
  {
    files: ['test/**/*.ts', 'examples/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.mjs'],
    rules: {
      // A test asserts what it knows to be there; a wrong assertion fails it.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Hostile input is made of what the types refuse.
      '@typescript-eslint/no-unsafe-argument': 'off',
      // Doubles implement asynchronous interfaces at once.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // These prove what the compiler says, and never run.
    files: ['test/types/**/*.ts'],
    rules: {
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description', minimumDescriptionLength: 5 }],
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
    },
  },
  {
    // In no project of the compiler: configuration, and scripts whose types stand in a .d.mts.
    files: ['**/*.{js,mjs}', 'scripts/*.d.mts', 'vitest.config.ts'],
    extends: [tseslint.configs.disableTypeChecked],
  },
)
