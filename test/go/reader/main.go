// Says of many things in DER whether Go's standard library, which etcd reads them with, can read them.
//
// Reads a JSON list of things from standard input, writes the list of reasons to standard output: empty where it can.
package main

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

type thing struct {
	Kind string `json:"kind"`
	DER  []byte `json:"der"`
}

func main() {
	var things []thing
	if err := json.NewDecoder(os.Stdin).Decode(&things); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	reasons := make([]string, len(things))
	for i, one := range things {
		if err := read(one); err != nil {
			reasons[i] = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(reasons); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(one thing) error {
	var err error
	switch one.Kind {
	case "certificate":
		_, err = x509.ParseCertificate(one.DER)
	case "csr":
		var request *x509.CertificateRequest
		if request, err = x509.ParseCertificateRequest(one.DER); err == nil {
			err = request.CheckSignature()
		}
	case "crl":
		_, err = x509.ParseRevocationList(one.DER)
	case "private key":
		_, err = x509.ParsePKCS8PrivateKey(one.DER)
	case "ec private key":
		_, err = x509.ParseECPrivateKey(one.DER)
	case "rsa private key":
		_, err = x509.ParsePKCS1PrivateKey(one.DER)
	default:
		err = errors.New("unknown kind " + one.Kind)
	}
	return err
}
