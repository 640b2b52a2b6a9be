/** Whether a DNS name of a certificate covers a host, as Go says it (`VerifyHostname`, asked by `test/interop/go-x509.test.ts`). */
export const coverage: readonly { readonly name: string; readonly host: string; readonly go: boolean }[] = [
  { name: 'a.etcd.svc', host: 'a.etcd.svc', go: true },
  { name: 'a.etcd.svc', host: 'b.etcd.svc', go: false },
  { name: 'etcd', host: 'etcd', go: true },
  { name: 'etcd', host: 'a.etcd', go: false },
  { name: '*.etcd.svc', host: 'a.etcd.svc', go: true },
  { name: '*.etcd.svc', host: 'xn--a.etcd.svc', go: true },
  { name: '*.etcd.svc', host: 'etcd.svc', go: false },
  { name: '*.etcd.svc', host: 'a.b.etcd.svc', go: false },
  { name: '*.etcd.svc', host: 'aetcd.svc', go: false },
  { name: '*.etcd', host: 'a.etcd', go: true },
  { name: '*.etcd', host: 'etcd', go: false },
  { name: '*', host: 'etcd', go: false },
  { name: '*.*.svc', host: 'a.etcd.svc', go: false },
  { name: 'a*.etcd.svc', host: 'ab.etcd.svc', go: false },
  { name: 'a.*.svc', host: 'a.etcd.svc', go: false },
]
