// Builds the etcd server of the version that go.mod pins, for the lane of that version; go.sum is its hash check.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
