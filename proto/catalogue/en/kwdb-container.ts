import type { Catalogue } from "../render.ts";

export const kwdbContainer: Catalogue = {
  "kwdb.no-container": { says: "the database of this host is in no container" },
  "kwdb.docker-failed": { says: "{what}: {cause}" },
  "kwdb.docker-not-permitted": {
    says: "{what}: {cause}",
    next: "usermod -aG docker USER   (on that host; USER is the agent's, or that of its file), then restart the agent",
  },
  "kwdb.container-missing": {
    says: "there is no container of the database ({form})",
    next: "is its name right in the agent's file? docker ps -a",
  },
  "kwdb.container-command": { says: "the container's command starts no KWDB server: {command}" },
  "kwdb.container-certificates-inside": {
    says: "the container's certificates are in {path}, in its own layer: they go with it, and the next one would have none",
    next: "docker cp them out, mount them, and make the container anew that way; then plan again",
  },
  "kwdb.container-data-inside": {
    says: "{path} lies in the container's own layer: it would go with the container",
    next: "export the data, and make the container anew with the data on a volume",
  },
  "kwdb.container-port": {
    says: "the container's port {port} is not published where this host itself reaches it",
    next: "publish it on every address or on 127.0.0.1",
  },
  "kwdb.container-runs": { says: "the container {container} runs: it is not touched" },
  "kwdb.container-not-renamed": { says: "the container {container} was not renamed: {cause}" },
  "kwdb.restart-policy-left": {
    says: "the container {container} has the restart policy {policy}, and should have {wanted}: {cause}",
    next: "docker update --restart={wanted} {container}   (on that host), then retry",
  },
  "kwdb.container-not-created": { says: "the new container was not made: {cause}" },
  "kwdb.container-not-started": {
    says: "the container {container} did not start ({status}): {cause}",
    next: "docker logs --tail 20 {container}   (on that host), mend it, then retry",
  },
  "kwdb.container-ended": {
    says: "the database in the container {container} ended (exit {exitCode}): {cause}",
    next: "docker logs --tail 20 {container}   (on that host), mend it, then retry",
  },
  "kwdb.container-not-repeatable": {
    says: "the container has what no command repeats: {refused}",
    next: "make it anew without that, or upgrade it by hand",
  },
  "kwdb.container-changed": {
    says: "the container is not as the plan has shown it any more",
    next: "abort, and plan anew",
  },
  "kwdb.container-differs": {
    says: "the new container is not made as the old one: lost {lost}; added {added}",
    next: "abort brings the old one back",
  },
  "kwdb.compose-unreadable": { says: "the compose file is not understood: {cause}" },
  "kwdb.compose-images": { says: "the compose file should have one image line; it has: {found}" },
  "kwdb.image-missing": { says: "the engine has no image {image}" },
  "kwdb.image-mute": { says: "the image {image} does not tell its version (/kaiwudb/bin/kwbase version)" },
  "kwdb.image-version": { says: "the image {image} is of {found}, the plan wants {wanted}" },
  "kwdb.image-other": { says: "the image is {found}, and should be {wanted}" },
  "kwdb.image-not-loaded": { says: "the image of the package {digest} has not been loaded" },
  "kwdb.image-load-failed": {
    says: "the image does not load: {cause}",
    next: "is the package whole? is there room in docker's folder?",
  },
  "kwdb.image-pull-failed": { says: "{image} could not be had: {cause}" },
  "kwdb.image-same-name": {
    says: "the new image is called {image} like the one that runs: the vendor's script would remove the new one",
    next: "docker tag it by another name, and change the compose file, before the upgrade",
  },
  "kwdb.image-not-kept": { says: "the old image {image} could not be kept: {cause}" },
  "kwdb.image-tar-unreadable": { says: "KaiwuDB.tar is not what docker save writes: {cause}" },
  "kwdb.package-without-image": { says: "the package {digest} has no image" },
  "kwdb.package-is-bare": {
    says: "it is a package for the host itself, and this node is in a container",
    next: "push the container package (with KaiwuDB.tar) of the same version",
  },
  "kwdb.form-unknown": {
    says: "how the nodes of {cluster} are installed is not known",
    next: "lockkeeper check {cluster} --to VERSION",
  },
  "kwdb.forms-differ": { says: "the nodes of {cluster} are installed in different ways: {forms}" },
  "kwdb.form-not-container": {
    says: "{cluster} is declared as containers, and its nodes are not ({form})",
    next: "correct the inventory, or name compose or container in the agents' files",
  },
  "kwdb.form-not-served": {
    says: "{form} is documented for a standalone node only, and {cluster} is {topology}",
    next: "clusters in containers are those that deploy.sh installs",
  },
  "check.kwdb.container-form": { says: "this topology is served in this kind of container" },
  "check.kwdb.container-form.ko": { says: "it is not" },
  "check.kwdb.container-form.unknown": { says: "how the nodes are installed is not known" },
  "check.kwdb.docker": { says: "Docker {version} answers, docker-compose is {compose}" },
  "check.kwdb.docker.ko": {
    says: "there is no docker-compose, which deploy.sh and compose files need",
    next: "install docker-compose   (on that host, by this very name)",
  },
  "check.kwdb.docker.unknown": {
    says: "it could not be asked",
    next: "systemctl status docker; usermod -aG docker USER   (on that host)",
  },
  "check.kwdb.container-name": { says: "no other container has its name within its own" },
  "check.kwdb.container-name.ko": {
    says: "deploy.sh would not know these apart from it: {alike}",
    next: "docker rename them",
  },
  "check.kwdb.container-name.unknown": { says: "the containers could not be listed" },
  "check.kwdb.compose-file": { says: "its compose file has one service and one image line" },
  "check.kwdb.compose-file.ko": {
    says: "{file} has services {services} and images {images}: every image line would be rewritten",
    next: "move the other services to a file of their own",
  },
  "check.kwdb.compose-file.unknown": { says: "it could not be read" },
  "check.kwdb.container-repeatable": { says: "its container can be made again word by word" },
  "check.kwdb.container-repeatable.ko": {
    says: "no command repeats this: {refused}",
    next: "make the container anew without it, or upgrade it by hand",
  },
  "check.kwdb.container-repeatable.unknown": { says: "docker inspect could not be asked" },
  "check.kwdb.image-room": { says: "there is room for the new image ({root}, {freeMiB} MiB)" },
  "check.kwdb.image-room.ko": {
    says: "{root} has {freeMiB} MiB free, {wantedMiB} are wanted",
    next: "docker image prune   (on that host), or make room",
  },
  "check.kwdb.image-room.unknown": { says: "docker's folder could not be measured" },
};
