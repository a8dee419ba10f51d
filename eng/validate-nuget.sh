#!/usr/bin/env bash
# Packs the packages and checks them themselves: what is in them, and that a fresh app that references them builds without
# a warning and starts a program.   validate-nuget.sh [FOLDER]   leaves them in FOLDER (default artifacts/packages).
set -euo pipefail
cd "$(dirname "$0")/.."
packages=$(realpath -m "${1:-artifacts/packages}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shopt -s nullglob
rm -f "$packages"/Isolation.*.nupkg

check() { # check PROJECT   packs it and looks inside; sets version
  local name=$1 content=$work/content-$1
  dotnet pack "src/$name" -c Release -o "$packages" -warnaserror -nodeReuse:false >"$work/pack.log" 2>&1 || { cat "$work/pack.log"; exit 1; }
  if grep warning "$work/pack.log"; then echo "$name packs with warnings"; exit 1; fi
  local found=("$packages/$name".[0-9]*.nupkg)
  [ ${#found[@]} = 1 ] || { echo "expected one package $name, found ${#found[@]}"; exit 1; }
  version=$(basename "${found[0]}" .nupkg); version=${version#"$name".}

  unzip -q "${found[0]}" -d "$content"
  for file in "lib/net10.0/$name.dll" "lib/net10.0/$name.xml" README.md; do
    [ -s "$content/$file" ] || { echo "the package $name lacks $file"; exit 1; }
  done
  for text in '<license type="expression">MIT</license>' '<readme>README.md</readme>' '<description>' '<tags>' 'targetFramework="net10.0"'; do
    grep -qF "$text" "$content/$name.nuspec" || { echo "the description of $name lacks $text"; exit 1; }
  done
  # One assembly for both architectures; nothing native lies beside it.
  local extra
  extra=$(cd "$content" && find . -type f ! -name '*.xml' ! -name '*.rels' ! -name '*.psmdcp' ! -name '*.nuspec' ! -name README.md \
    ! -path "./lib/net10.0/$name.dll")
  [ -z "$extra" ] || { echo "unexpected in the package $name: $extra"; exit 1; }
}
check Isolation
check Isolation.Images
grep -qF "<dependency id=\"Isolation\" version=\"[$version]\"" "$work/content-Isolation.Images/Isolation.Images.nuspec" \
  || { echo "Isolation.Images must want Isolation of exactly its own version"; exit 1; }

# A fresh app, outside the repository so that none of its settings apply. Packages go to a folder of its own: the user's
# would keep an Isolation of the same version from an earlier run.
mkdir "$work/app"
cat >"$work/app/App.csproj" <<END
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable>enable</Nullable>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
    <RestorePackagesPath>$work/packages</RestorePackagesPath>
    <RestoreAdditionalProjectSources>$packages</RestoreAdditionalProjectSources>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Isolation" Version="[$version]" />
    <PackageReference Include="Isolation.Images" Version="[$version]" />
  </ItemGroup>
</Project>
END
cat >"$work/app/Program.cs" <<'END'
using System.Runtime.Versioning;
using Isolation;
using Isolation.Images;

[assembly: SupportedOSPlatform("linux")]

using var store = ImageStore.Open(args[0]);
if (store.List().Count != 0) return 2;
var result = IsolatedProcess.RunAndCaptureText(new IsolationOptions("id"));
System.Console.Write(result.StandardOutput);
return result.ExitStatus.ExitCode;
END
dotnet build "$work/app" -o "$work/app/out" -nodeReuse:false >"$work/build.log" 2>&1 \
  || { cat "$work/build.log"; echo "an app that references the packages does not build"; exit 1; }
if grep -E 'warning [A-Z]+[0-9]+' "$work/build.log"; then echo "an app that references the packages builds with warnings"; exit 1; fi
said=$("$work/app/out/App" "$work/store" </dev/null) || { echo "an app that references the packages fails: $said"; exit 1; }
case $said in
  uid=*) echo "Isolation and Isolation.Images $version: complete, and an app that references them says $said" ;;
  *) echo "an app that references the packages says: $said"; exit 1 ;;
esac
