module etcd-rbac/test/reader

go 1.23
