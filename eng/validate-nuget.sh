#!/usr/bin/env bash
# Packs src/Isolation and checks the package itself: what is in it, and that a fresh app that references it builds without
# a warning and starts a program.   validate-nuget.sh [FOLDER]   leaves the package in FOLDER (default artifacts/packages).
set -euo pipefail
cd "$(dirname "$0")/.."
packages=$(realpath -m "${1:-artifacts/packages}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rm -f "$packages"/Isolation.*.nupkg
dotnet pack src/Isolation -c Release -o "$packages" -warnaserror -nodeReuse:false >"$work/pack.log" 2>&1 || { cat "$work/pack.log"; exit 1; }
if grep warning "$work/pack.log"; then echo "packs with warnings"; exit 1; fi
shopt -s nullglob
found=("$packages"/Isolation.*.nupkg)
[ ${#found[@]} = 1 ] || { echo "expected one package, found ${#found[@]}"; exit 1; }
package=${found[0]}
version=$(basename "$package" .nupkg); version=${version#Isolation.}

unzip -q "$package" -d "$work/content"
for file in lib/net10.0/Isolation.dll lib/net10.0/Isolation.xml README.md; do
  [ -s "$work/content/$file" ] || { echo "the package lacks $file"; exit 1; }
done
for text in '<license type="expression">MIT</license>' '<readme>README.md</readme>' '<description>' '<tags>' 'targetFramework="net10.0"'; do
  grep -qF "$text" "$work/content/Isolation.nuspec" || { echo "the package's description lacks $text"; exit 1; }
done
# One assembly for both architectures; nothing native lies beside it.
extra=$(cd "$work/content" && find . -type f ! -name '*.xml' ! -name '*.rels' ! -name '*.psmdcp' ! -name '*.nuspec' ! -name README.md \
  ! -path ./lib/net10.0/Isolation.dll)
[ -z "$extra" ] || { echo "unexpected in the package: $extra"; exit 1; }

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
  </ItemGroup>
</Project>
END
cat >"$work/app/Program.cs" <<'END'
using System.Runtime.Versioning;
using Isolation;

[assembly: SupportedOSPlatform("linux")]

var result = IsolatedProcess.RunAndCaptureText(new IsolationOptions("id"));
System.Console.Write(result.StandardOutput);
return result.ExitStatus.ExitCode;
END
dotnet build "$work/app" -o "$work/app/out" -nodeReuse:false >"$work/build.log" 2>&1 \
  || { cat "$work/build.log"; echo "an app that references the package does not build"; exit 1; }
if grep -E 'warning [A-Z]+[0-9]+' "$work/build.log"; then echo "an app that references the package builds with warnings"; exit 1; fi
said=$("$work/app/out/App" </dev/null) || { echo "an app that references the package fails: $said"; exit 1; }
case $said in
  uid=*) echo "$(basename "$package"): complete, and an app that references it says $said" ;;
  *) echo "an app that references the package says: $said"; exit 1 ;;
esac
